import { expect, test } from "vitest";
import { parseAddress, parseSubnet } from "../../../src/model/address.ts";
import { linesBetween } from "../../../src/plane/ipvs/diff.ts";
import { createRenderer, type Rendered, type Site } from "../../../src/plane/ipvs/render.ts";
import type { Backend, Frontend, PlaneService } from "../../../src/plane/plane.ts";

const SITE: Site = {
  addresses: ["10.99.0.1", "fd99::1"].map(parseAddress),
  lostPools: [],
  peers: new Set(["n2"]),
  hash: "mh",
};

/** A task as `a=10.61.1.11:8080 w2 draining @n2`. */
function backend(text: string): Backend {
  const [, task = "", endpoint = "", rest = ""] = /^(\w+)=(\S+) ?(.*)$/.exec(text) ?? [];
  const [, address = "", port = ""] = /^\[?([^\]]*?)\]?:(\d+)$/.exec(endpoint) ?? [];
  const words = rest.split(" ");
  return {
    task,
    address: parseAddress(address),
    port: Number(port),
    weight: Number(words.find((word) => word.startsWith("w"))?.slice(1) ?? 1),
    duty: words.includes("draining") ? "draining" : words.includes("down") ? "down" : "serving",
    node: words.find((word) => word.startsWith("@"))?.slice(1),
  };
}

type Said = { readonly backends: readonly string[] } & Partial<
  Pick<Frontend, "protocol" | "balance" | "affinityMs" | "proxyProtocol">
>;

const FRONT = { protocol: "tcp", balance: "weighted", affinityMs: 0, proxyProtocol: 0 } as const;

function vip({ backends, ...said }: Said & { vip?: string; port?: number | undefined }): Frontend {
  const { vip: address = "10.64.0.1", ...rest } = said;
  const own = { kind: "vip", network: "default", port: 80, vip: parseAddress(address) } as const;
  return {
    ...FRONT,
    ...rest,
    ...own,
    ...("port" in said ? { port: said.port } : {}),
    backends: backends.map(backend),
  };
}

function published({ backends, ...said }: Said): Frontend {
  return { ...FRONT, ...said, kind: "published", port: 30_080, backends: backends.map(backend) };
}

function service(...frontends: Frontend[]): PlaneService {
  return { name: "web", vips: [], frontends };
}

function render(site: Site, ...frontends: Frontend[]): Rendered {
  return createRenderer(site)(new Map([["web", service(...frontends)]]));
}

function linesOf({ table }: Rendered): string[] {
  return linesBetween(new Map(), table);
}

const A = "a=10.61.1.11:8080";
const B = "b=10.61.1.12:9090 w2";
const A6 = "a=[fd61::11]:8080";

test.each<[string, Frontend, string[]]>([
  [
    "by weight",
    vip({ backends: [A, B] }),
    [
      "-A -t 10.64.0.1:80 -s wrr -b flag-3",
      "-a -t 10.64.0.1:80 -r 10.61.1.11:8080 -m -w 1",
      "-a -t 10.64.0.1:80 -r 10.61.1.12:9090 -m -w 2",
    ],
  ],
  [
    "datagrams",
    vip({ protocol: "udp", backends: [A] }),
    ["-A -u 10.64.0.1:80 -s wrr -b flag-3", "-a -u 10.64.0.1:80 -r 10.61.1.11:8080 -m -w 1"],
  ],
  [
    "IPv6",
    vip({ vip: "fd64::1", backends: [A6] }),
    ["-A -t [fd64::1]:80 -s wrr -b flag-3", "-a -t [fd64::1]:80 -r [fd61::11]:8080 -m -w 1"],
  ],
  [
    "who drains gets nothing, who is down is gone",
    vip({ backends: [`${A} draining`, `${B} down`] }),
    ["-A -t 10.64.0.1:80 -s wrr -b flag-3", "-a -t 10.64.0.1:80 -r 10.61.1.11:8080 -m -w 0"],
  ],
  ["nobody is there: the kernel refuses", vip({ backends: [`${A} down`] }), []],
  [
    "two tasks at one address and port get what both would",
    vip({ backends: [`${A} w40000`, "b=10.61.1.11:8080 w40000", "c=10.61.1.11:8080 w5 draining"] }),
    ["-A -t 10.64.0.1:80 -s wrr -b flag-3", "-a -t 10.64.0.1:80 -r 10.61.1.11:8080 -m -w 65535"],
  ],
  [
    "published, at each address of the node, to tasks of its family",
    published({ backends: [A, A6] }),
    [
      "-A -t 10.99.0.1:30080 -s wrr -b flag-3",
      "-a -t 10.99.0.1:30080 -r 10.61.1.11:8080 -m -w 1",
      "-A -t [fd99::1]:30080 -s wrr -b flag-3",
      "-a -t [fd99::1]:30080 -r [fd61::11]:8080 -m -w 1",
    ],
  ],
  [
    "published, with a task on a peer, from which replies come back",
    published({ backends: [`${A} @n2`] }),
    ["-A -t 10.99.0.1:30080 -s wrr -b flag-3", "-a -t 10.99.0.1:30080 -r 10.61.1.11:8080 -m -w 1"],
  ],
])("%s", (_, frontend, expected) => {
  const rendered = render(SITE, frontend);
  expect(linesOf(rendered)).toEqual(expected);
  expect(rendered.carried).toBe(1);
  expect(rendered.troubles).toEqual([]);
});

test.each<[Pick<Frontend, "balance"> & { affinityMs?: number }, string]>([
  [{ balance: "rotate" }, "-s rr -b flag-3"],
  [{ balance: "random" }, "-s wrr -b flag-3"],
  [{ balance: "leastconn" }, "-s wlc -b flag-3"],
  [{ balance: "source" }, "-s mh -b mh-fallback"],
  [{ balance: "weighted", affinityMs: 1 }, "-s wrr -p 1 -b flag-3"],
  [{ balance: "rotate", affinityMs: 60_000 }, "-s rr -p 60 -b flag-3"],
  // ipvsadm takes 31 days at most.
  [{ balance: "rotate", affinityMs: 2_678_400_001 }, "-s rr -p 2678400 -b flag-3"],
])("%j is %s", (said, expected) => {
  expect(linesOf(render(SITE, vip({ ...said, backends: [A] })))[0]).toBe(`-A -t 10.64.0.1:80 ${expected}`);
});

test("a kernel without ip_vs_mh takes ip_vs_sh", () => {
  const lines = linesOf(render({ ...SITE, hash: "sh" }, vip({ balance: "source", backends: [A] })));
  expect(lines[0]).toBe("-A -t 10.64.0.1:80 -s sh -b sh-fallback");
});

test.each<[string, Frontend, RegExp]>([
  ["all ports", vip({ port: undefined, protocol: "any", backends: [] }), /^web declares no ports.*"ports"/],
  [
    "a PROXY header",
    vip({ proxyProtocol: 2, backends: [A] }),
    /^port 80\/tcp of web .* PROXY header.*userspace$/,
  ],
])("%s cannot be carried, which is said, and keeps nothing else from it", (_, frontend, expected) => {
  const { table, carried, troubles } = render(SITE, frontend, published({ backends: [A] }));
  expect([...table.keys()]).toEqual(["-t 10.99.0.1:30080"]);
  expect(carried).toBe(1);
  expect(troubles).toEqual([{ service: "web", message: expect.stringMatching(expected) }]);
});

test("a published port leads past no node that does not know the way back", () => {
  const rendered = render(SITE, published({ backends: [A, `${B} @n3`] }));
  expect(linesOf(rendered)).toEqual([
    "-A -t 10.99.0.1:30080 -s wrr -b flag-3",
    "-a -t 10.99.0.1:30080 -r 10.61.1.11:8080 -m -w 1",
  ]);
  expect(rendered.troubles).toEqual([
    { service: "web", message: expect.stringContaining("its tasks on n3") },
  ]);
});

test("VIPs of a pool that is lost are left out", () => {
  const site = { ...SITE, lostPools: [parseSubnet("10.64.0.0/16")] };
  expect(render(site, vip({ backends: [A] }), vip({ vip: "10.65.0.1", backends: [A] }))).toMatchObject({
    table: new Map([["-t 10.65.0.1:80", expect.anything()]]),
    carried: 1,
  });
});

test("of two services at one address and port the first is carried", () => {
  const [first, second] = [vip({ backends: [A] }), vip({ backends: [B] })];
  const rendered = createRenderer(SITE)(
    new Map([
      ["one", service(first)],
      ["two", service(second)],
    ]),
  );
  expect(linesOf(rendered)).toHaveLength(2);
  expect(rendered.owners.get("-t 10.64.0.1:80")).toBe("one");
  expect(rendered.troubles).toEqual([{ service: "two", message: "web: another service has 10.64.0.1:80" }]);
});

test("what did not change is the same object, and so costs nothing", () => {
  const renderState = createRenderer(SITE);
  const web = service(vip({ backends: [A] }));
  const [before, after] = [renderState(new Map([["web", web]])), renderState(new Map([["web", web]]))];
  expect(after.table.get("-t 10.64.0.1:80")).toBe(before.table.get("-t 10.64.0.1:80"));
});

test("in which families tasks are reached elsewhere", () => {
  const here = "a=10.99.0.1:8080";
  expect(render(SITE, vip({ backends: [here] })).forwarded).toEqual(new Set());
  expect(render(SITE, vip({ backends: [here, A] })).forwarded).toEqual(new Set([4]));
  expect(render(SITE, published({ backends: [A, A6] })).forwarded).toEqual(new Set([4, 6]));
});
