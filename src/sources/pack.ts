import { hash } from "node:crypto";
import { type Declaration, NO_ALIASES, NO_PORTS, type TaskDeclaration } from "../model/declaration.ts";

/**
 * A declaration on its way from thread to thread. Two that say the same have the same digest, wherever in the
 * file they stand.
 */
export interface Packed {
  readonly digest: string;
  readonly origin: string;
  /** What {@link unpack} takes; undefined: the other side has the declaration already. */
  readonly text: string | undefined;
}

/** @param known digests of the declarations that the other side has. */
export function pack(declaration: Declaration, known: ReadonlySet<string>): Packed {
  const { origin, ...said } = declaration;
  const text = JSON.stringify({ ...said, tasks: declaration.tasks.map(plainTask) });
  const digest = hash("sha256", text, "base64");
  return { digest, origin, text: known.has(digest) ? undefined : text };
}

/** The declaration that {@link pack} made `text` of. */
export function unpack(text: string, origin: string): Declaration {
  const plain: Plain = JSON.parse(text);
  return {
    ...plain,
    ttl: plain.ttl, // which JSON leaves out if it is undefined, as it does the check and the VIPs
    check: plain.check,
    vips: plain.vips,
    maxAnswers: plain.maxAnswers ?? Infinity, // which JSON has no word for
    tasks: plain.tasks.map((task) => wholeTask(task, plain.networks)),
    origin,
  };
}

type Plain = Omit<Declaration, "origin" | "maxAnswers" | "tasks"> & {
  readonly maxAnswers: number | null;
  readonly tasks: readonly PlainTask[];
};

type PlainTask = Omit<TaskDeclaration, "ports"> & { readonly ports: readonly (readonly [string, number])[] };

function plainTask(task: TaskDeclaration): PlainTask {
  return { ...task, ports: [...task.ports] };
}

/** Field by field: an object that is spread takes twice the memory, and there are a hundred thousand. */
function wholeTask(plain: PlainTask, networks: readonly string[]): TaskDeclaration {
  const { id, isNamed, slot, weight, isChecked, isDown, node, netns } = plain;
  // A network's name that is read anew for each address is a text of its own.
  const addresses = plain.addresses.map(({ network, address }) => ({
    network: networks.find((name) => name === network) ?? network,
    address,
  }));
  const networkAliases = plain.networkAliases.length > 0 ? plain.networkAliases : NO_ALIASES;
  const ports = plain.ports.length > 0 ? new Map(plain.ports) : NO_PORTS;
  return { id, isNamed, slot, networkAliases, addresses, weight, ports, isChecked, isDown, node, netns };
}
