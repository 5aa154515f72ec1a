import { type Address, formatAddress, formatEndpoint, parseEndpoint } from "../../model/address.ts";
import { attempt } from "../../base/error.ts";

/** What IPVS is to hold, or holds: its services by {@link VirtualService.key}. */
export type Table = ReadonlyMap<string, VirtualService>;

/** Immutable: one that is the same object did not change. */
export interface VirtualService {
  /** As ipvsadm names it: `-t 10.64.0.1:80`, `-u [fd64::1]:53`. */
  readonly key: string;
  readonly address: Address;
  readonly scheduler: string;
  /** How long a client stays at its task; 0: not at all. */
  readonly affinitySeconds: number;
  /** The scheduler's flags, as ipvsadm names them. */
  readonly flags: string;
  /** By the task's address and port, as `10.61.1.11:8080`: its share of new flows; 0: none. */
  readonly weights: ReadonlyMap<string, number>;
}

export function keyOf(protocol: "tcp" | "udp", address: Address, port: number): string {
  return `${protocol === "tcp" ? "-t" : "-u"} ${formatEndpoint(formatAddress(address), port)}`;
}

/** All of a service but whom it leads to, as `ipvsadm --restore` reads it. */
export function formatService({ key, scheduler, affinitySeconds, flags }: VirtualService): string {
  return `${key} -s ${scheduler}${affinitySeconds > 0 ? ` -p ${affinitySeconds}` : ""} -b ${flags}`;
}

/** A weight that none of ours has: of a task that is reached otherwise than by masquerading, and so is set anew. */
const FOREIGN = -1;

/** What `ipvsadm --save --numeric` tells. Services by firewall mark are never ours, and left out. */
export function readTable(saved: string): Table {
  const table = new Map<string, VirtualService & { readonly weights: Map<string, number> }>();
  for (const line of saved.split("\n")) {
    const [command, kind = "", told = "", ...words] = line.split(" ");
    const endpoint = attempt(() => parseEndpoint(told));
    if (endpoint?.port === undefined || (kind !== "-t" && kind !== "-u")) continue;
    const { address, port } = endpoint;
    const key = keyOf(kind === "-t" ? "tcp" : "udp", address, port);
    if (command === "-A") table.set(key, { key, address, ...readOptions(words), weights: new Map() });
    if (command === "-a") {
      const weight = words.includes("-m") ? Number(valueOf(words, "-w")) : FOREIGN;
      table.get(key)?.weights.set(normalEndpoint(valueOf(words, "-r")), weight);
    }
  }
  return table;
}

function readOptions(
  words: readonly string[],
): Pick<VirtualService, "scheduler" | "affinitySeconds" | "flags"> {
  return {
    scheduler: valueOf(words, "-s"),
    affinitySeconds: Number(valueOf(words, "-p")),
    flags: valueOf(words, "-b"),
  };
}

/** What stands behind an option; empty where it does not stand there. */
function valueOf(words: readonly string[], option: string): string {
  const at = words.indexOf(option);
  return at < 0 ? "" : (words[at + 1] ?? "");
}

/** An address and port as ours are written; what is none, as it stands. */
export function normalEndpoint(text: string): string {
  const endpoint = attempt(() => parseEndpoint(text));
  return endpoint?.port === undefined ? text : formatEndpoint(formatAddress(endpoint.address), endpoint.port);
}
