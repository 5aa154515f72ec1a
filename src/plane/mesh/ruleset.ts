import { type Address, FAMILIES, type Family, familyOf, formatAddress } from "../../model/address.ts";
import { ROUTE_PROTOCOL } from "../routes.ts";
import type { Row } from "../rows.ts";
import { formatMark, isMark, MARK_BASE, MARK_MASK } from "./marks.ts";
import { hasFamily, type Path } from "./paths.ts";

export const TABLE = "rota-mesh";
/** Before the main table's rule, which is 32,766. */
const PRIORITY = 21_103;

/** What `nft -f -` reads: all in place of what was there, in one transaction; without paths nothing is left. */
export function renderTable(paths: readonly Path[]): string {
  const replace = `table inet ${TABLE}\ndelete table inet ${TABLE}\n`;
  if (paths.length === 0) return replace;
  const onLinks = paths.filter(({ mac }) => mac !== undefined);
  const tunnels = paths.filter(({ mac }) => mac === undefined);
  return `${replace}table inet ${TABLE} {
  map senders { type ifname . ether_addr : mark; ${elements(onLinks.map(senderOf))} }
  map tunnels { type ifname : mark; ${elements(tunnels.map(({ link, mark }) => `"${link}" : ${formatMark(mark)}`))} }
${FAMILIES.map((family) => setsOf(family, onLinks, tunnels)).join("")}
  chain arriving {
    type filter hook prerouting priority mangle; policy accept;
    ct direction reply ${IS_MARKED} meta mark set ct mark accept
    ct state new ct mark set iifname . ether saddr map @senders accept
    ct state new ct mark set iifname map @tunnels
  }
  chain leaving {
    type route hook output priority mangle; policy accept;
    ct direction reply ${IS_MARKED} meta mark set ct mark
  }
  chain sources {
    type nat hook postrouting priority srcnat - 1; policy accept;
    ct status dnat fib saddr type != local jump kept
  }
  chain kept {
${FAMILIES.map(keepSources).join("")}  }
}
`;
}

const IS_MARKED = `ct mark & ${formatMark(MARK_MASK)} == ${formatMark(MARK_BASE)}`;

function senderOf({ link, mac, mark }: Path): string {
  return `"${link}" . ${mac} : ${formatMark(mark)}`;
}

/** Where a packet is on its way to a peer that has a return path: its next hop, or a link with nobody else behind. */
function setsOf(family: Family, onLinks: readonly Path[], tunnels: readonly Path[]): string {
  const hops = onLinks.flatMap(({ link, addresses }) =>
    addresses
      .filter((address) => familyOf(address) === family)
      .map((address) => `"${link}" . ${formatAddress(address)}`),
  );
  const links = tunnels.filter((path) => hasFamily(path, family)).map(({ link }) => `"${link}"`);
  return `  set hops${family} { type ifname . ${family === 4 ? "ipv4_addr" : "ipv6_addr"}; ${elements(hops)} }
  set links${family} { type ifname; ${elements(links)} }
`;
}

/**
 * What came from a peer and goes on to one gets this node's address after all: that may be the same, and a client
 * behind it would be answered past this node, or its own address come back to it. Other clients keep theirs. To say
 * so is to be the first who decides: whoever would put this node's address there, in whatever table, comes too late.
 */
function keepSources(family: Family): string {
  const ip = family === 4 ? "ip" : "ip6";
  return [`oifname . rt ${ip} nexthop @hops${family}`, `meta nfproto ipv${family} oifname @links${family}`]
    .map((way) => `    ${way} ${IS_MARKED} masquerade\n    ${way} snat ${ip} to ${ip} saddr\n`)
    .join("");
}

function elements(lines: readonly string[]): string {
  return lines.length === 0 ? "" : `elements = { ${lines.join(", ")} };`;
}

/** What `ip -FAMILY -batch -` reads, so that what has a path's mark leaves by it. In that order, none is without a route. */
export function renderRoutes(paths: readonly Path[], present: Present, family: Family): string[] {
  const wanted = paths.filter((path) => hasFamily(path, family));
  const marks = new Set(wanted.map(({ mark }) => mark));
  return [
    ...wanted.map(
      (path) => `route replace ${routeOf(path, family)} table ${path.mark} protocol ${ROUTE_PROTOCOL}`,
    ),
    ...[...marks].filter((mark) => !present.rules.has(mark)).map((mark) => `rule add ${ruleOf(mark)}`),
    ...[...present.rules]
      .filter((mark) => !marks.has(mark))
      .map((mark) => `rule del fwmark ${formatMark(mark)}`),
    ...[...present.tables].filter((mark) => !marks.has(mark)).map((mark) => `route flush table ${mark}`),
  ];
}

function routeOf({ link, mac, addresses }: Path, family: Family): string {
  const gateway = addresses.find((address): address is Address => familyOf(address) === family);
  if (mac === undefined || gateway === undefined) return `default dev ${link}`;
  // The gateway is on the link whatever the main table says of it.
  return `default via ${formatAddress(gateway)} dev ${link} onlink`;
}

function ruleOf(mark: number): string {
  return `fwmark ${formatMark(mark)} lookup ${mark} priority ${PRIORITY} protocol ${ROUTE_PROTOCOL}`;
}

/** What is there of ours, of one family. */
export interface Present {
  readonly rules: ReadonlySet<number>;
  readonly tables: ReadonlySet<number>;
}

/** From what `ip -json rule show` and `ip -json route show table all` print. */
export function presentOf(rules: readonly Row[], routes: readonly Row[]): Present {
  return { rules: new Set(numbersOf(rules, "fwmark")), tables: new Set(numbersOf(routes, "table")) };
}

function numbersOf(rows: readonly Row[], key: string): number[] {
  return rows.map((row) => Number(row[key])).filter(isMark);
}
