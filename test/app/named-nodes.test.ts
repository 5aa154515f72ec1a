import { expect, test } from "vitest";
import { createNamedNodes } from "../../src/app/named-nodes.ts";
import { parseAddress } from "../../src/model/address.ts";
import { EMPTY_STATE, type PlaneService } from "../../src/plane/plane.ts";

function onNodes(name: string, ...nodes: readonly (string | undefined)[]): PlaneService {
  const backends = nodes.map((node, at) => ({
    task: `t${at}`,
    address: parseAddress(`10.61.0.${at}`),
    port: 80,
    weight: 1,
    duty: "serving" as const,
    node,
  }));
  const common = { protocol: "tcp", balance: "weighted", affinityMs: 0, proxyProtocol: 0 } as const;
  return { name, vips: [], frontends: [{ ...common, kind: "published", port: 80, backends }] };
}

const told = (service: string, node: string): { service: string; message: string } => ({
  service,
  message: `tasks of ${service} are on node ${node}, which is not declared: give its address under nodes`,
});

test("a node that is not declared is told of once, by the first that has tasks there, while there is one", () => {
  const named = createNamedNodes();
  const here = onNodes("a", undefined);
  const [a, other] = [onNodes("a", "n2", undefined), onNodes("a", "n2", "n2")];
  named.take("a", undefined, here);
  expect(named.unknown(EMPTY_STATE)).toEqual([]);
  named.take("a", here, a);
  named.take("b", undefined, onNodes("b", "n2", "n3"));
  expect(named.unknown(EMPTY_STATE)).toEqual([told("a", "n2"), told("b", "n3")]);
  named.take("a", a, other);
  expect(named.unknown(EMPTY_STATE)).toEqual([told("a", "n2"), told("b", "n3")]);
  const peers = new Map([["n3", { addresses: [] }]]);
  expect(named.unknown({ ...EMPTY_STATE, peers })).toEqual([told("a", "n2")]);
  named.take("a", other, here);
  expect(named.unknown({ ...EMPTY_STATE, peers })).toEqual([told("b", "n2")]);
  named.take("b", onNodes("b", "n2", "n3"), undefined);
  expect(named.unknown(EMPTY_STATE)).toEqual([]);
});
