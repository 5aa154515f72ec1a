import { attempt } from "../../base/error.ts";
import { type Address, formatAddress, parseAddress } from "../../model/address.ts";
import type { Run } from "../command.ts";
import { parseRows, type Row, rowsOf, textOf } from "../rows.ts";
import { readSysctls } from "../sysctls.ts";

/** What a node's routes, links and neighbours say of some addresses. */
export interface Surroundings {
  /** None for an address that no route leads to. */
  readonly routes: ReadonlyMap<Address, Route>;
  readonly links: ReadonlyMap<string, Link>;
  /** Links that default routes of IPv4 go by. */
  readonly defaultLinks: ReadonlySet<string>;
}

export interface Route {
  readonly link: string;
  readonly gateway: Address | undefined;
  /** Whether it leads to this node itself. */
  readonly isLocal: boolean;
}

export interface Link {
  readonly name: string;
  /** `ethernet` has an address for each neighbour in its frames, `tunnel` has none. */
  readonly kind: "ethernet" | "tunnel";
  /** MAC addresses of those that have answered. */
  readonly neighbours: ReadonlyMap<Address, string>;
  /** What counts for the link: the greater of its own and of that of all. */
  readonly reversePathFilter: number;
  readonly sendsRedirects: boolean;
}

export interface Neighbour {
  readonly address: Address;
  readonly link: string;
  /** Undefined: it has not answered. */
  readonly mac: string | undefined;
}

/** Looks at all that leads to `addresses`; nothing is sent to them. */
export async function lookAround(addresses: readonly Address[], run: Run): Promise<Surroundings> {
  if (addresses.length === 0) return { routes: new Map(), links: new Map(), defaultLinks: new Set() };
  const told = await askIp(
    ["route show default", ...addresses.map((address) => `route get ${formatAddress(address)}`)],
    run,
  );
  const routes = new Map(told.flatMap(routeOf));
  const defaultLinks = new Set(told.flatMap((row) => (row["dst"] === "default" ? textOf(row["dev"]) : [])));
  const names = [...new Set([...routes.values()].map(({ link }) => link))].filter(isPlainName);
  // Of one link alone, `neigh show` would leave out which.
  const rows = await askIp([...names.map((name) => `link show dev ${name}`), "neigh show"], run);
  const sysctls = await readSysctls(
    run,
    ["all", ...names].flatMap((name) => [sysctlOf(name, "rp_filter"), sysctlOf(name, "send_redirects")]),
  );
  const links = rows.flatMap((row) => linkOf(row, rows, sysctls));
  return { routes, links: new Map(links.map((link) => [link.name, link])), defaultLinks };
}

/** Those that are on a link with this node and have an address in its frames, or should have. */
export function neighboursOf(addresses: readonly Address[], around: Surroundings): Neighbour[] {
  return addresses.flatMap((address) => {
    const route = around.routes.get(address);
    if (route === undefined || route.isLocal || route.gateway !== undefined) return [];
    const link = around.links.get(route.link);
    return link?.kind === "ethernet" ? [{ address, link: link.name, mac: link.neighbours.get(address) }] : [];
  });
}

/** The same, and who is not seen now as he was seen before. */
export function withKnown(around: Surroundings, before: Surroundings["links"]): Surroundings {
  const links = [...around.links].map(([name, link]): [string, Link] => {
    const earlier = before.get(name)?.neighbours ?? new Map<Address, string>();
    const asked = [...earlier].filter(([address]) => around.routes.has(address));
    return [name, { ...link, neighbours: new Map([...asked, ...link.neighbours]) }];
  });
  return { ...around, links: new Map(links) };
}

/** Has the kernel ask for the MAC addresses of those that it has none for; does not wait for them. */
export async function askNeighbours(wanted: readonly Neighbour[], run: Run): Promise<void> {
  // `use` is what the kernel does by itself when it is about to send there a packet.
  const lines = wanted.map(({ address, link }) => `neigh replace ${formatAddress(address)} dev ${link} use`);
  await askIp(lines, run);
}

/** A setting of a link, as sysctl(8) names it. */
export function sysctlOf(link: string, key: string): string {
  return `net.ipv4.conf.${link.replaceAll(".", "/")}.${key}`;
}

/** Names that go into commands as they are. The kernel lets a name have any octet but `/` and blanks. */
function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_.@:-]{1,15}$/.test(name) && !name.startsWith("-");
}

/** Runs many `ip` in one; those that fail print nothing. */
async function askIp(lines: readonly string[], run: Run): Promise<Row[]> {
  if (lines.length === 0) return [];
  const input = `${lines.join("\n")}\n`;
  // It exits with 1 where any line failed, as for an address that no route leads to: that is an answer, too.
  const script = 'ip -json -force -batch - 2>/dev/null || test "$?" = 1';
  const text = await run("sh", ["-c", script], { input });
  return text.split("\n").flatMap((line) => (line.startsWith("[") ? parseRows(line) : []));
}

function routeOf(row: Row): [Address, Route][] {
  const [address, link] = [addressOf(row["dst"]), textOf(row["dev"])];
  if (address === undefined || link === "") return [];
  const [via] = rowsOf([row["via"]]);
  const gateway = addressOf(row["gateway"] ?? via?.["host"]);
  return [[address, { link, gateway, isLocal: row["type"] === "local" }]];
}

function linkOf(row: Row, rows: readonly Row[], sysctls: ReadonlyMap<string, string>): Link[] {
  const name = textOf(row["ifname"]);
  if (name === "") return [];
  const flags = Array.isArray(row["flags"]) ? row["flags"] : [];
  const isEthernet = row["link_type"] === "ether" && !flags.includes("NOARP");
  const greatest = (key: string): number =>
    Math.max(...["all", name].map((link) => Number(sysctls.get(sysctlOf(link, key)) ?? 0)));
  return [
    {
      name,
      kind: isEthernet ? "ethernet" : "tunnel",
      neighbours: new Map(rows.filter((other) => other["dev"] === name).flatMap(neighbourOf)),
      reversePathFilter: greatest("rp_filter"),
      sendsRedirects: greatest("send_redirects") > 0,
    },
  ];
}

function neighbourOf(row: Row): [Address, string][] {
  const [address, mac] = [addressOf(row["dst"]), textOf(row["lladdr"])];
  return address === undefined || mac === "" ? [] : [[address, mac]];
}

function addressOf(value: unknown): Address | undefined {
  return typeof value === "string" ? attempt(() => parseAddress(value)) : undefined;
}
