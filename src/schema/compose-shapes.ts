import { z } from "zod";
import { parseSubnet } from "../model/address.ts";
import { parseDuration } from "../model/duration.ts";
import type { WrittenLabel } from "./compose-labels.ts";
import { parseComposePorts, parseExposed, parsePublished, type WrittenPorts } from "./compose-ports.ts";
import { testInput } from "./probe-shape.ts";
import { mustBe } from "./problem.ts";
import { frameShape, networkShape, serviceShape } from "./shapes.ts";
import { durationInput, orDigits, reading, strict, whole } from "./steps.ts";
import { portAt } from "./words.ts";

const truth = z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")], {
  error: mustBe("true or false"),
});
const numberOrText = z.union([z.string(), z.number().transform(String)], {
  error: mustBe("a port number or text"),
});
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: mustBe("text, a number, true or false"),
});
const duration = durationInput.transform(reading(parseDuration));

const labels = z.union(
  [
    z
      .record(z.string(), scalar)
      .transform((map): readonly WrittenLabel[] =>
        Object.entries(map).map(([key, value]) => ({ key, value: String(value ?? ""), step: key })),
      ),
    z.array(z.string()).transform((list): readonly WrittenLabel[] =>
      list.map((text, step) => {
        const cut = text.indexOf("=");
        return cut < 0
          ? { key: text, value: "", step }
          : { key: text.slice(0, cut), value: text.slice(cut + 1), step };
      }),
    ),
  ],
  { error: mustBe("a mapping or a list of key=value") },
);

const longPort = z
  .looseObject({
    target: orDigits(whole(1, 65_535)),
    published: numberOrText.transform(reading(parsePublished)).nullish(),
    protocol: z.enum(["tcp", "udp", "sctp"]).default("tcp"),
    name: z.string().optional(),
    mode: z.enum(["ingress", "host"]).optional(),
    host_ip: z.string().optional(),
    app_protocol: z.string().optional(),
  })
  .transform(({ target, published, protocol, name }) => ({
    ports: [portAt(target, { protocol, published: published ?? undefined })],
    leftOut: 0,
    name,
  }));

/** Ports, and what Compose's long form calls them. */
export interface NamedPorts extends WrittenPorts {
  readonly name?: string | undefined;
}

const port: z.ZodType<NamedPorts> = z.union(
  [
    z.string().transform(reading(parseComposePorts)),
    whole(1, 65_535).transform(String).transform(reading(parseComposePorts)),
    longPort,
  ],
  { error: mustBe('a port number, text as "80:8080", or a mapping') },
);

/** Each makes a name for each alias. */
export const MAX_PORTS = 4096;

/** A list of so many ports at most, which is seen before each is read: one may be a hundred. */
function portsInput<Item extends z.ZodType>(item: Item) {
  return z
    .array(z.unknown())
    .max(MAX_PORTS, { error: `has over ${MAX_PORTS} entries: ${MAX_PORTS} ports are allowed` })
    .pipe(z.array(item));
}

/** What Compose says of a service, as far as it is of use here; the rest is let be. */
export const composeServiceShape = z.looseObject({
  container_name: z.string().nullish(),
  hostname: z.string().nullish(),
  network_mode: z.string().nullish(),
  networks: z
    .union(
      [
        z.array(z.string()),
        z.record(z.string(), z.looseObject({ aliases: z.array(z.string()).nullish() }).nullable()),
      ],
      { error: mustBe("a list or a mapping of networks") },
    )
    .nullish(),
  deploy: z
    .looseObject({ endpoint_mode: z.enum(["vip", "dnsrr"]).nullish(), labels: labels.nullish() })
    .nullish(),
  // The engine runs it, and tells what comes of it.
  healthcheck: z
    .looseObject({
      test: testInput.optional(),
      disable: truth.optional(),
      interval: duration.optional(),
      timeout: duration.optional(),
      start_period: duration.optional(),
      start_interval: duration.optional(),
      retries: orDigits(whole(0, 2_147_483_647)).optional(),
    })
    .nullish(),
  ports: portsInput(port).nullish(),
  expose: portsInput(numberOrText.transform(reading(parseExposed))).nullish(),
  labels: labels.nullish(),
});
export type ComposeServiceShape = z.output<typeof composeServiceShape>;

const words = serviceShape.shape;

/** What `x-rota` says of a service: the words of a services file that Compose has no other place for. */
export const rotaServiceShape = strict(
  {
    endpoint_mode: words.endpoint_mode.unwrap().optional(),
    aliases: words.aliases,
    ttl: words.ttl,
    ports: words.ports,
    healthcheck: words.healthcheck,
    publish_not_ready: words.publish_not_ready,
    labels: words.labels,
    order: words.order,
    balance: words.balance,
    affinity: words.affinity,
    max_answers: words.max_answers,
    when_empty: words.when_empty,
    panic_threshold: words.panic_threshold,
  },
  {
    misplaced: {
      networks: "write it beside x-rota",
      namespace: "it is the project: write that as name at the top of the file",
      tasks: "leave it out, tasks come from the engine",
    },
  },
);

/** Words of a services file that Compose has none like, beside `image` by mistake. */
export const ROTA_ALONE: readonly string[] = [
  ...Object.keys(rotaServiceShape.shape).filter((word) => !["ports", "healthcheck", "labels"].includes(word)),
  "namespace",
  "tasks",
];

export const composeNetworkShape = z.looseObject({
  name: z.string().nullish(),
  external: z.union([truth, z.looseObject({ name: z.string().optional() })]).nullish(),
  internal: truth.nullish(),
  ipam: z
    .looseObject({
      config: z
        .array(z.looseObject({ subnet: z.string().transform(reading(parseSubnet)).nullish() }))
        .nullish(),
    })
    .nullish(),
  "x-rota": networkShape.nullish(),
});

const { zone, ttl, negative_ttl } = frameShape.shape;
const unchecked = z.record(z.string(), z.unknown());

export const composeFileShape = z.looseObject({
  name: z.string().nullish(),
  networks: unchecked.nullish(),
  services: unchecked.nullish(),
  "x-rota": strict(
    { zone, ttl, negative_ttl },
    { misplaced: { services: "write x-rota into each service", networks: "write x-rota into each network" } },
  ).nullish(),
});

/** Its parts, to be checked one by one, so that what is wrong with one hides no other. */
export const composeBodyShape = z.looseObject({
  name: z.unknown().optional(),
  networks: unchecked.catch({}),
  services: unchecked.catch({}),
});
