import { expect, test } from "vitest";
import { formatAddress } from "../../src/model/address.ts";
import { parsePrefix } from "../../src/model/name.ts";
import { type Change, createRegistry } from "../../src/registry/registry.ts";
import { forgetfulStore } from "../../src/registry/vips.ts";
import { roster, stillClock } from "../dns/served.ts";

const WEB = roster({
  networks: { default: { vips: "10.0.0.0/16" } },
  services: {
    web: {
      healthcheck: { tcp: true },
      ports: [80],
      tasks: [
        { id: "a", address: "192.0.2.1" },
        { id: "b", address: "192.0.2.2" },
      ],
    },
  },
});
const NOBODY = roster({ services: {} });

/** A service of one source that another comes to declare, in one change. */
function moving() {
  const registry = createRegistry({ clock: stillClock(), store: forgetfulStore });
  const file = registry.open("file");
  const engine = registry.open("engine");
  const changes: Change[] = [];
  engine.publish(WEB);
  registry.report([
    { service: "engine:web", task: parsePrefix("a"), verdict: "passing" },
    { service: "engine:web", task: parsePrefix("b"), verdict: "failing" },
  ]);
  registry.follow((change) => changes.push(change), new AbortController().signal);
  const shown = () =>
    [...registry.services()].map(
      ({ id, serving, vips, isWaiting }) =>
        `${id} ${serving.length} serving, ${vips.map(({ address }) => formatAddress(address)).join(" ")}${isWaiting ? ", waiting" : ""}`,
    );
  const [before = ""] = shown();
  return { registry, file, engine, changes, shown, before };
}

test("a service that goes from one source to another keeps its verdicts and its VIP", () => {
  const { registry, file, engine, shown, before } = moving();
  registry.together(() => {
    file.publish(WEB);
    engine.publish(NOBODY);
  });
  expect(shown()).toEqual([before.replace("engine:", "file:")]);
  registry.together(() => {
    engine.publish(WEB);
    file.publish(NOBODY);
  });
  expect(shown()).toEqual([before]);
});

test("what happens together is one change, without conflicts that were only in between", () => {
  const { registry, file, engine, changes } = moving();
  registry.together(() => {
    file.publish(WEB);
    engine.publish(NOBODY);
  });
  expect(changes.map(({ touched, conflicts }) => [[...touched.keys()].toSorted(), conflicts])).toEqual([
    [["engine:web", "file:web"], []],
  ]);
});

test("a service that is gone, and comes back later, begins anew", () => {
  const { file, engine, shown } = moving();
  engine.publish(NOBODY);
  file.publish(WEB);
  expect(shown()[0]).toMatch(/^file:web 0 serving, .*, waiting$/);
});

test("a listener may make the next change, and a step that throws keeps nobody from it", () => {
  const { registry, engine, shown } = moving();
  const once = new AbortController();
  registry.follow(() => {
    once.abort();
    engine.publish(NOBODY);
  }, once.signal);
  registry.report([{ service: "engine:web", task: parsePrefix("b"), verdict: "passing" }]);
  expect(shown()).toEqual([]);
  expect(() =>
    registry.together(() => {
      throw new Error("no");
    }),
  ).toThrow("no");
  engine.publish(WEB);
  expect(shown()).toHaveLength(1);
});
