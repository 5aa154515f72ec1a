import { readdir, readFile, readlink } from "node:fs/promises";
import { endianness } from "node:os";
import { type Address, familyOf, toOctets } from "../model/address.ts";

/**
 * Who listens on a port, as `nginx (pid 4711)`; undefined: nobody, or nobody whom this user can see.
 *
 * @param address where somebody else would listen: who has all addresses counts as well. Undefined: anywhere.
 */
export async function holderOf(
  protocol: "tcp" | "udp",
  address: Address | undefined,
  port: number,
): Promise<string | undefined> {
  const tables = await Promise.all([protocol, `${protocol}6`].map((name) => readText(`/proc/net/${name}`)));
  const wanted = address === undefined ? undefined : new Set(placesOf(address));
  const inodes = new Set(
    tables.flatMap((table) => inodesOf(table, protocol === "tcp" ? LISTENING : UNCONNECTED, port, wanted)),
  );
  return inodes.size === 0 ? undefined : processWith(inodes);
}

/** States as the kernel numbers them (net/tcp_states.h); a bound UDP socket is in that of a closed TCP one. */
const LISTENING = "0A";
const UNCONNECTED = "07";

/** Lines are `sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode ...` (proc_net_tcp of the kernel's manual). */
function inodesOf(
  table: string,
  state: string,
  port: number,
  wanted: ReadonlySet<string> | undefined,
): string[] {
  const portText = port.toString(16).toUpperCase().padStart(4, "0");
  return table.split("\n").flatMap((line) => {
    const [, local = "", , inState, , , , , , inode] = line.trim().split(/\s+/);
    const [place = "", at] = local.split(":");
    const isIt = at === portText && inState === state && (!wanted || wanted.has(place));
    return isIt && inode !== undefined ? [inode] : [];
  });
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

async function processWith(inodes: ReadonlySet<string>): Promise<string | undefined> {
  const links = new Set([...inodes].map((inode) => `socket:[${inode}]`));
  for (const pid of await list("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    for (const fd of await list(`/proc/${pid}/fd`)) {
      const link = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
      if (links.has(link)) return `${(await readText(`/proc/${pid}/comm`)).trim()} (pid ${pid})`;
    }
  }
  return undefined;
}

/** Nothing, where it is gone already, another user's, or not on Linux. */
function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}

function readText(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
