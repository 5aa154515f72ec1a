import { z } from "zod";
import { RotaError } from "../base/error.ts";
import { type Address, isUnreachable, parseAddress, parseSubnet, type Subnet } from "../model/address.ts";
import type { Port } from "../model/declaration.ts";
import { healthcheckShape } from "./healthcheck-shape.ts";
import type { NetworkInput, PortMapping, ServiceDeclaration, ServicesFile } from "./input.ts";
import { parseZone } from "../model/name.ts";
import { mustBe } from "./problem.ts";
import { durationInput, type Fields, reading, strict, whole } from "./steps.ts";
import { taskShape } from "./task-shape.ts";
import { formatLabel, parseDottedName, parsePortName, parsePortText, parseSeconds, portAt } from "./words.ts";

const port = whole(1, 65_535);
const seconds = durationInput.transform(reading(parseSeconds));
const dottedName = z.string().transform(reading(parseDottedName));
const subnet = z.string().transform(reading(parseSubnet));
const pool = z.string().transform(reading(parsePool));

const portFields = {
  name: z.string().transform(reading(parsePortName)).optional().describe("The http of _http._tcp.web."),
  target: port.describe("Where tasks listen."),
  port: port.optional().describe("Where the VIP listens; default: target."),
  published: z
    .union([port, z.literal("auto")], { error: mustBe("a port from 1 to 65535, or auto") })
    .optional()
    .describe("Where every node listens; auto: at a free one of 30000 to 32767."),
  protocol: z.enum(["tcp", "udp", "sctp"]).default("tcp").describe("What it is spoken over."),
  mode: z
    .enum(["ingress", "host"])
    .default("ingress")
    .describe("host: published only on nodes that a task is on, and leads to those alone."),
  policy: z
    .enum(["cluster", "local"])
    .default("cluster")
    .describe("local: a node leads to its own tasks alone."),
  proxy_protocol: z
    .union([z.literal(1), z.literal(2)], { error: mustBe("1 or 2") })
    .optional()
    .describe("The version of the PROXY header that tasks expect in front of a TCP connection."),
} satisfies Fields<PortMapping>;

const portInput = z.union(
  [
    z.string().transform(reading(parsePortText)),
    port.transform((target): Port => portAt(target, {})),
    strict(portFields).transform(({ target, name, port, proxy_protocol: proxyProtocol, ...said }) =>
      portAt(target, {
        ...said,
        ...(proxyProtocol !== undefined && { proxyProtocol }),
        ...(name !== undefined && { name }),
        ...(port !== undefined && { port }),
      }),
    ),
  ],
  { error: mustBe('a port number, text as "80:8080", or a mapping') },
);

const labels = z.union(
  [
    z
      .record(
        z.string(),
        z.union([z.string(), z.number(), z.boolean()], { error: mustBe("text, a number, true or false") }),
      )
      .transform(
        reading((map) => Object.entries(map).map(([key, value]) => formatLabel(key, String(value)))),
      ),
    z.array(z.string().transform(reading(readLabel))),
  ],
  { error: mustBe("a mapping or a list of key=value") },
);

const serviceFields = {
  networks: z
    .array(z.string())
    .min(1, { error: "is empty: leave it out for the network named default" })
    .default(["default"])
    .describe("The networks that it is on."),
  namespace: dottedName.optional().describe("What a stack's services share: shop in web.shop."),
  endpoint_mode: z
    .enum(["vip", "dnsrr"])
    .default("vip")
    .describe("vip: its name answers with its own virtual IP. dnsrr: with its serving tasks' addresses."),
  aliases: z.array(dottedName).default([]).describe("Other names for it."),
  ttl: seconds.optional().describe("How long a resolver may keep its answers: 5s, 1m30s."),
  ports: z.array(portInput).default([]).describe('Where it is reached: 8080, "80:8080/tcp", or more.'),
  healthcheck: healthcheckShape
    .optional()
    .describe("How its tasks are checked: one serves from its first pass on, and until it fails."),
  publish_not_ready: z.boolean().default(false).describe("Whether tasks serve while they are starting, too."),
  labels: labels.default([]).describe("What its TXT record says."),
  order: z.enum(["rotate", "random", "weighted"]).default("rotate").describe("Which task comes first."),
  balance: z
    .enum(["weighted", "rotate", "random", "leastconn", "source"])
    .default("weighted")
    .describe("Which task a new flow to its VIP or published ports goes to."),
  affinity: seconds.default(0).describe("How long a client is kept at the task that it got: 3h."),
  max_answers: whole(1, 65_535).optional().describe("How many addresses an answer has at most."),
  when_empty: z
    .enum(["nodata", "all", "servfail"])
    .default("nodata")
    .describe("What its name answers when no task is serving."),
  panic_threshold: z
    .number()
    .min(0, { error: mustBe("a share from 0 to 1") })
    .max(1, { error: mustBe("a share from 0 to 1") })
    .default(0)
    .describe("The share of serving tasks below which all tasks are answered; 0: never."),
  tasks: z.array(taskShape).default([]).describe("Its running copies."),
} satisfies Fields<ServiceDeclaration>;

export const serviceShape = strict(serviceFields);
export type ServiceShape = z.output<typeof serviceShape>;

const networkFields = {
  subnets: z.array(subnet).default([]).describe("Which addresses are on it."),
  vips: z
    .union([pool.transform((subnet) => [subnet]), z.array(pool)], {
      error: mustBe("a subnet or a list of subnets"),
    })
    .default([])
    .refine((vips) => new Set(vips.map(({ base }) => base.length)).size === vips.length, {
      error: "has two subnets of one family: one of IPv4 and one of IPv6 at most",
    })
    .describe("Where VIPs are taken from: a subnet, or one of each family."),
} satisfies Fields<NetworkInput>;

export const networkShape = strict(networkFields);

const nodeAddress = z.string().transform(reading(parseNodeAddress));

const nodeShape = z.union(
  [
    nodeAddress.transform((address) => [address]),
    z.array(nodeAddress).min(1, { error: "is empty: a node needs an address" }),
  ],
  { error: mustBe("an address or a list of addresses") },
);

const fileFields = {
  zone: z.string().transform(reading(parseZone)).optional().describe("The name above all services."),
  ttl: seconds.optional().describe("How long a resolver may keep an answer: 5s, 1m30s."),
  negative_ttl: seconds.optional().describe("How long a resolver may keep it that a name does not exist."),
  namespace: dottedName.optional().describe("The namespace of services that name none."),
  networks: z.record(z.string(), networkShape.nullable()).optional().describe("Networks by name."),
  nodes: z
    .record(z.string(), nodeShape)
    .default({})
    .describe("The machines that tasks are on: where each is reached by the others."),
  services: z.record(z.string(), serviceShape).optional().describe("Services by name."),
  $schema: z.string().optional().describe("Where editors find this schema; not looked at."),
} satisfies Fields<ServicesFile>;

/** A whole services file, for its JSON Schema. */
export const fileShape = strict(fileFields);

const unchecked = z.record(z.string(), z.unknown());

/** The keys of a services file, and what stands in all but its networks and services. */
export const frameShape = strict({
  ...fileFields,
  networks: unchecked.optional(),
  services: unchecked.optional(),
});

/** Its networks and services, to be checked one by one, so that what is wrong with one hides no other. */
export const bodyShape = z.looseObject({
  networks: unchecked.catch({}),
  services: unchecked.catch({}),
});

function parsePool(text: string): Subnet {
  const pool = parseSubnet(text);
  if (!isUnreachable(pool.base)) return pool;
  throw new RotaError("ERR_ROTA_ADDRESS", `"${text}" has addresses that no service can have`);
}

function parseNodeAddress(text: string): Address {
  const address = parseAddress(text);
  if (!isUnreachable(address)) return address;
  throw new RotaError("ERR_ROTA_ADDRESS", `"${text}" is an address that no node can have`);
}

function readLabel(text: string): string {
  const cut = text.indexOf("=");
  return cut < 0 ? formatLabel(text, "") : formatLabel(text.slice(0, cut), text.slice(cut + 1));
}
