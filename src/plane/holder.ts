import { readdir, readFile, readlink } from "node:fs/promises";
import { endianness } from "node:os";
import { type Address, familyOf, toOctets } from "../model/address.ts";

/** Who listens on ports, of many that are asked for together: what the system has is read once. */
export interface Holders {
  /**
   * Who listens on a port, as `nginx (pid 4711)`; undefined: nobody, or nobody whom this user can see.
   *
   * @param address where somebody else would listen: who has all addresses counts as well. Undefined: anywhere.
   */
  of(protocol: "tcp" | "udp", address: Address | undefined, port: number): Promise<string | undefined>;
  /** What the system has may be another now. */
  forget(): void;
}

export function createHolders(): Holders {
  let tables = new Map<string, Promise<Table>>();
  let owners: Promise<ReadonlyMap<string, string>> | undefined;

  return {
    async of(protocol, address, port) {
      const wanted = address === undefined ? undefined : new Set(placesOf(address));
      const found = await Promise.all([protocol, `${protocol}6`].map(tableOf));
      const sockets = found.flatMap((table) => table.get(port) ?? []);
      const ours = sockets.filter(({ place }) => !wanted || wanted.has(place));
      if (ours.length === 0) return undefined;
      const pids = await (owners ??= readOwners());
      const pid = ours.flatMap(({ inode }) => pids.get(inode) ?? [])[0];
      return pid && `${(await readText(`/proc/${pid}/comm`)).trim()} (pid ${pid})`;
    },
    forget() {
      tables = new Map();
      owners = undefined;
    },
  };

  async function tableOf(name: string): Promise<Table> {
    const known = tables.get(name);
    if (known) return known;
    const state = name.startsWith("tcp") ? LISTENING : UNCONNECTED;
    const table = readText(`/proc/net/${name}`).then((text) => tableIn(text, state));
    tables.set(name, table);
    return table;
  }
}

/** As {@link Holders.of}, of one alone. */
export async function holderOf(
  protocol: "tcp" | "udp",
  address: Address | undefined,
  port: number,
): Promise<string | undefined> {
  return createHolders().of(protocol, address, port);
}

/** Who is bound, by port. */
type Table = ReadonlyMap<number, readonly { readonly place: string; readonly inode: string }[]>;

/** States as the kernel numbers them (net/tcp_states.h); a bound UDP socket is in that of a closed TCP one. */
const LISTENING = "0A";
const UNCONNECTED = "07";

/** Lines are `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...` (proc_net_tcp of the kernel's manual). */
function tableIn(text: string, state: string): Table {
  const table = new Map<number, { place: string; inode: string }[]>();
  for (const line of text.split("\n")) {
    const [, local = "", , inState, , , , , , inode] = line.trim().split(/\s+/);
    if (inState !== state || inode === undefined) continue;
    const [place = "", at = ""] = local.split(":");
    const port = Number.parseInt(at, 16);
    const there = table.get(port) ?? [];
    table.set(port, there);
    there.push({ place, inode });
  }
  return table;
}

/** How the tables write the address, and those that stand for it as well: all of either family, IPv4 as IPv6. */
function placesOf(address: Address): string[] {
  const octets = toOctets(address);
  const all = wordsOf(Array.from({ length: 16 }, () => 0));
  if (familyOf(address) === 6) return [wordsOf(octets), all];
  const mapped = [...Array.from({ length: 10 }, () => 0), 0xff, 0xff, ...octets];
  return [wordsOf(octets), wordsOf([0, 0, 0, 0]), wordsOf(mapped), all];
}

/** Addresses are printed as numbers of 32 bits, in the order of the machine. */
function wordsOf(octets: readonly number[]): string {
  const words: number[][] = [];
  for (let at = 0; at < octets.length; at += 4) words.push(octets.slice(at, at + 4));
  const ordered = words.flatMap((word) => (endianness() === "LE" ? word.toReversed() : word));
  return Buffer.from(ordered).toString("hex").toUpperCase();
}

/** Which process has a socket, by its inode; of several the first. */
async function readOwners(): Promise<ReadonlyMap<string, string>> {
  const owners = new Map<string, string>();
  for (const pid of await list("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of await list(`/proc/${pid}/fd`)) {
      const link = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
      const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
      if (inode !== undefined && !owners.has(inode)) owners.set(inode, pid);
    }
  }
  return owners;
}

/** Nothing, where it is gone already, another user's, or not on Linux. */
function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
