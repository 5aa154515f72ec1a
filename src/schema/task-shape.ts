import { z } from "zod";
import { RotaError } from "../base/error.ts";
import { type Endpoint, isUnreachable, parseEndpoint } from "../model/address.ts";
import type { TaskMapping } from "./input.ts";
import { mustBe } from "./problem.ts";
import { type Fields, reading, strict, whole } from "./steps.ts";
import { parseTaskId } from "./words.ts";

/** An address of a task, still as it was asked for: which network it is on is found out later. */
export interface AddressShape {
  readonly endpoint: Endpoint;
  /** The network that it was written under, if it was. */
  readonly network: string | undefined;
  /** Where it stands in its task. */
  readonly path: readonly (string | number)[];
}

const endpoint = z.string().transform(reading(parseReachable));

const oneAddress = endpoint.transform((endpoint): AddressShape[] => [
  { endpoint, network: undefined, path: [] },
]);
const someAddresses = z
  .array(endpoint)
  .min(1, { error: "is empty: a task needs an address" })
  .transform((endpoints) =>
    endpoints.map((endpoint, at): AddressShape => ({ endpoint, network: undefined, path: [at] })),
  );
const addresses = z.union([oneAddress, someAddresses], {
  error: mustBe("an address or a list of addresses"),
});
const addressesByNetwork = z
  .record(z.string(), addresses)
  .refine((map) => Object.keys(map).length > 0, { error: "is empty: a task needs an address" })
  .transform((map) =>
    Object.entries(map).flatMap(([network, shapes]) =>
      shapes.map((shape): AddressShape => ({ ...shape, network, path: [network, ...shape.path] })),
    ),
  );

const taskFields = {
  id: z.string().transform(reading(parseTaskId)).optional().describe("Its name in the service."),
  slot: whole(1, 2 ** 31 - 1)
    .optional()
    .describe("Its number in the service: the 2 of 2.web."),
  address: z
    .union([oneAddress, someAddresses, addressesByNetwork], {
      error: mustBe("an address, a list of addresses or a mapping from network to address"),
    })
    .describe("Where it is: an address, several, or those of each network; a port may stand behind them."),
  weight: whole(0, 65_535).default(1).describe("Its share under order: weighted and in its SRV record."),
  ports: z
    .record(z.string(), whole(1, 65_535))
    .default({})
    .describe("Where it listens for a port, by the port's name."),
  node: z.string().optional().describe("The node that it is on, by its name under nodes."),
} satisfies Fields<TaskMapping>;

export const taskShape = z.union(
  [
    oneAddress.transform((addresses) => ({
      id: undefined,
      slot: undefined,
      weight: 1,
      ports: {},
      node: undefined,
      addresses,
    })),
    strict(taskFields).transform(({ id, slot, weight, ports, node, address }) => ({
      id,
      slot,
      weight,
      ports,
      node,
      addresses: address.map((shape): AddressShape => ({ ...shape, path: ["address", ...shape.path] })),
    })),
  ],
  { error: mustBe("an address or a mapping") },
);

export interface TaskShape extends Readonly<Omit<z.output<typeof taskShape>, "ports">> {
  readonly ports: { readonly [name: string]: number };
}

function parseReachable(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (!isUnreachable(endpoint.address)) return endpoint;
  throw new RotaError("ERR_ROTA_ADDRESS", `"${text}" is an address that no task can have`);
}
