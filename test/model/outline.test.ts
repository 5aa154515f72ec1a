import { expect, test } from "vitest";
import { parseAddress } from "../../src/model/address.ts";
import type { Declaration, TaskDeclaration } from "../../src/model/declaration.ts";
import { parsePrefix } from "../../src/model/name.ts";
import { fillOutline, joinOutlines } from "../../src/model/outline.ts";
import { parseService } from "../../src/schema/schema.ts";

const CONTEXT = { networks: new Map(), origin: "compose.yaml:2:3" };
const CHECK = parseService("web", { healthcheck: { tcp: 80 } }, CONTEXT).check;
const VIPS = [{ network: "shop_front", address: parseAddress("10.0.1.2") }];

const alias = (name: string, network: string) => ({ name: parsePrefix(name), network });
const port = (name: string, target: number, published?: number) => ({
  name,
  target,
  published,
  port: target,
  protocol: "tcp" as const,
  mode: "ingress" as const,
  policy: "cluster" as const,
  proxyProtocol: 0 as const,
});

const task: TaskDeclaration = {
  id: parsePrefix("web-1"),
  isNamed: false,
  slot: 1,
  networkAliases: [],
  addresses: [{ network: "shop_front", address: parseAddress("172.20.0.2") }],
  weight: 1,
  ports: new Map(),
  isChecked: false,
  isDown: false,
  node: undefined,
  netns: undefined,
};

/** What neither side says anything of. */
const bare: Declaration = {
  ...parseService("web", { namespace: "shop", endpoint_mode: "dnsrr" }, CONTEXT),
  networks: ["shop_front"],
};
const outline = (said: Partial<Declaration>): Declaration => ({ ...bare, isOutline: true, ...said });
const engine = (said: Partial<Declaration>): Declaration => ({
  ...bare,
  tasks: [task],
  origin: "docker: shop/web",
  ...said,
});

test("a bare outline that is filled is the engine's service, declared where the file says", () => {
  expect(fillOutline(outline({}), engine({}))).toEqual({ ...engine({}), origin: "compose.yaml:2:3" });
});

test.each<[string, Partial<Declaration>, Partial<Declaration>, Partial<Declaration>]>([
  [
    "tasks are the engine's",
    {},
    { tasks: [task, { ...task, slot: 2 }] },
    { tasks: [task, { ...task, slot: 2 }] },
  ],
  ["the file's mode counts", { endpointMode: "vip" }, {}, { endpointMode: "vip", vips: undefined }],
  [
    "a mode of the engine's without VIPs does not",
    {},
    { endpointMode: "vip", vips: [] },
    { endpointMode: "dnsrr" },
  ],
  [
    "given VIPs decide on the mode",
    {},
    { endpointMode: "vip", vips: VIPS },
    { endpointMode: "vip", vips: VIPS },
  ],
  [
    "aliases are those of both, once each",
    { aliases: [parsePrefix("a"), parsePrefix("b")] },
    { aliases: [parsePrefix("b"), parsePrefix("c")] },
    { aliases: [parsePrefix("a"), parsePrefix("b"), parsePrefix("c")] },
  ],
  [
    "network aliases too, by name and network",
    { networkAliases: [alias("web", "shop_front"), alias("www", "shop_front")] },
    { networkAliases: [alias("web", "shop_front"), alias("web", "shop_back")] },
    { networkAliases: [alias("web", "shop_front"), alias("www", "shop_front"), alias("web", "shop_back")] },
  ],
  [
    "networks too, the engine's first",
    { networks: ["shop_front", "shop_new"] },
    { networks: ["shop_back", "shop_front"] },
    { networks: ["shop_back", "shop_front", "shop_new"] },
  ],
  [
    "ports are named by the file and published by the engine",
    { ports: [port("http", 80), port("dns", 53, 5353)] },
    { ports: [port("80", 80, 32_768), port("53", 53, 54), port("9000", 9000), port("http", 8080)] },
    { ports: [port("http", 80, 32_768), port("dns", 53, 5353), port("9000", 9000)] },
  ],
  [
    "of two that publish one port the first counts",
    { ports: [port("http", 80)] },
    { ports: [port("a", 80, 8080), port("b", 80, 8081)] },
    { ports: [port("http", 80, 8080), port("a", 80, 8080), port("b", 80, 8081)] },
  ],
  [
    "the file's words count where it says them",
    { ttl: 7, order: "random", maxAnswers: 2, whenEmpty: "all", panicThreshold: 0.5, labels: ["a=1"] },
    { ttl: 9, order: "weighted", maxAnswers: 3, whenEmpty: "servfail", panicThreshold: 0.7, labels: ["b=1"] },
    { ttl: 7, order: "random", maxAnswers: 2, whenEmpty: "all", panicThreshold: 0.5, labels: ["a=1"] },
  ],
  [
    "the engine's count where it does not",
    {},
    { ttl: 9, order: "weighted", maxAnswers: 3, whenEmpty: "servfail", panicThreshold: 0.7, labels: ["b=1"] },
    { ttl: 9, order: "weighted", maxAnswers: 3, whenEmpty: "servfail", panicThreshold: 0.7, labels: ["b=1"] },
  ],
  ["a TTL of none at all is said", { ttl: 0 }, { ttl: 9 }, { ttl: 0 }],
  ["either may publish what is not ready", {}, { publishNotReady: true }, { publishNotReady: true }],
  [
    "a check of the file's checks the tasks",
    { check: CHECK },
    {},
    { check: CHECK, tasks: [{ ...task, isChecked: true }] },
  ],
  ["a check of the engine's labels stays", {}, { check: CHECK }, { check: CHECK, tasks: [task] }],
])("%s", (_, said, found, expected) => {
  expect(fillOutline(outline(said), engine(found))).toMatchObject({ ...expected, isOutline: false });
});

const labelled = (...labels: readonly string[]): Partial<Declaration> => ({ labels });
const on = (networks: readonly string[], ...names: readonly string[]): Partial<Declaration> => ({
  networks,
  networkAliases: networks.flatMap((network) => names.map((name) => alias(name, network))),
});

test.each<[string, Partial<Declaration>, Partial<Declaration>, Partial<Declaration>]>([
  [
    "the later's words count where it says them",
    { ttl: 7, maxAnswers: 2 },
    { ttl: 9 },
    { ttl: 9, maxAnswers: 2 },
  ],
  ["a mode stays where the later says none", { endpointMode: "vip" }, {}, { endpointMode: "vip" }],
  ["a mode counts where the later says it", {}, { endpointMode: "vip" }, { endpointMode: "vip" }],
  ["a check stays where the later says none", { check: CHECK }, {}, { check: CHECK, tasks: [] }],
  [
    "labels are those of both, of a key the later's",
    labelled("a=1", "b=2"),
    labelled("b=3", "c"),
    labelled("a=1", "b=3", "c"),
  ],
  [
    "ports are those of both, and a name of either stands for its number",
    { ports: [port("http", 80, 8080), port("53", 53)] },
    { ports: [port("80", 80, 8081), port("dns", 53)] },
    { ports: [port("dns", 53), port("http", 80, 8080)] },
  ],
  [
    "networks are those of both, the earlier's first",
    on(["shop_back"], "web"),
    on(["shop_front"], "web", "www"),
    {
      networks: ["shop_back", "shop_front"],
      networkAliases: [alias("web", "shop_front"), alias("www", "shop_front"), alias("web", "shop_back")],
    },
  ],
  [
    "who says no networks is on the other's, by all its names",
    on(["shop_front", "shop_back"], "web"),
    on(["shop_default"], "web", "www"),
    on(["shop_front", "shop_back"], "web", "www"),
  ],
  [
    "that goes for the earlier, too",
    on(["shop_default"], "web"),
    on(["shop_front"], "web"),
    on(["shop_front"], "web"),
  ],
  ["and for one on no network", on([]), on(["shop_default"], "web"), on([])],
])("of two outlines of one service, %s", (_, earlier, later, expected) => {
  const joined = joinOutlines(
    outline({ ...earlier, origin: "first" }),
    outline({ ...later, origin: "second" }),
  );
  expect(joined).toMatchObject({ ...expected, isOutline: true, origin: "first" });
});
