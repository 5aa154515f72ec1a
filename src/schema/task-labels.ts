import { z } from "zod";
import { RotaError } from "../base/error.ts";
import { type Address, isUnreachable, parseAddress } from "../model/address.ts";
import { type Labelled, readWords, settle } from "./label-words.ts";
import { checked, mustBe } from "./problem.ts";
import { serviceWords } from "./service-labels.ts";
import { parseService, type ServiceName } from "./service-name.ts";
import { reading, strict, whole } from "./steps.ts";

/** What labels say of one task. */
export interface TaskLabels {
  readonly isEnabled: boolean;
  /** The service that it belongs to. */
  readonly service: ServiceName | undefined;
  readonly slot: number | undefined;
  readonly weight: number;
  readonly addresses: readonly Address[];
}

const MAX_ADDRESSES = 8;

const address = z.string().transform(reading(parseTaskAddress));
const taskWords = {
  enable: z.boolean({ error: mustBe("true or false") }).default(true),
  service: z.string().transform(reading(parseService)).optional(),
  slot: whole(1, 2 ** 31 - 1).optional(),
  weight: whole(0, 65_535).default(1),
  address: z
    .union([address.transform((one) => [one]), z.array(address).min(1).max(MAX_ADDRESSES)], {
      error: mustBe(`an address or up to ${MAX_ADDRESSES} with commas between`),
    })
    .default([]),
};
const taskLabels = z.object(taskWords);
/** Whatever stands behind them. */
const knownWords = strict(
  Object.fromEntries(
    [...Object.keys(taskWords), ...Object.keys(serviceWords)].map((word) => [word, z.unknown().optional()]),
  ),
);

/** Reads what the `rota.` labels say of a task, and tells of all words that no label has. */
export function readTaskLabels(labels: ReadonlyMap<string, string>): Labelled<TaskLabels> {
  const { said: words, problems } = readWords(labels);
  const rest = words.filter(({ path: [first = ""] }) => !Object.hasOwn(serviceWords, first));
  const settled = settle(rest, (tree, problems) => {
    checked(knownWords, tree, [], problems);
    return checked(taskLabels, tree, [], problems);
  });
  const { enable, service, slot, weight, address: addresses } = settled.said;
  return {
    said: { isEnabled: enable, service, slot, weight, addresses },
    problems: [...problems, ...settled.problems],
  };
}

function parseTaskAddress(text: string): Address {
  const address = parseAddress(text);
  if (!isUnreachable(address)) return address;
  throw new RotaError("ERR_ROTA_ADDRESS", `"${text}" is an address that no task can have`);
}
