import { FAMILIES, type Family } from "../../model/address.ts";
import { CLIENTS_MAP, MAX_CLIENTS } from "./classes.ts";
import { frontendKey, header, PLACES, slotsMap, tasksMap, taskValue } from "./place.ts";

/** The one table that is ours. */
export const TABLE = "inet rota";

/** A set of two numbers, which each change of ours replaces: what has others, is not what we left. */
export const SERIAL_SET = "serial";

/** The table with all maps and chains, but no class and no element: what never changes. */
export function skeleton(): string {
  return `table ${TABLE}
delete table ${TABLE}
table ${TABLE} {
${indent([
  `set ${SERIAL_SET} { type mark; }`,
  ...PLACES.flatMap((place) => [
    `map ${slotsMap(place)} { typeof ${frontendKey(place)} . numgen inc mod 2 : meta priority; }`,
    `map ${tasksMap(place)} { typeof ${frontendKey(place)} . meta priority : ${taskValue(place)}; counter; }`,
  ]),
  // Its keys are hashes: nft 1.0.6 crashes when it is to list a map that is declared so, with `typeof jhash`.
  `map ${CLIENTS_MAP} { typeof numgen inc mod 2 : meta priority; flags dynamic,timeout; timeout 1h; size ${MAX_CLIENTS}; }`,
  ...FAMILIES.flatMap(setsOf),
])}
  chain services {
${indent(FAMILIES.flatMap(dispatch), 4)}
  }
  chain sources {
${indent(FAMILIES.flatMap(sources), 4)}
  }
${NAT_HOOKS.flatMap(translations).join("\n")}
  chain input {
    type filter hook input priority filter; policy accept;
${indent(FAMILIES.flatMap(refusals), 4)}
  }
${["forward", "output-refuse"]
  .map(
    (chain) => `  chain ${chain} {
    type filter hook ${chain.split("-")[0]} priority filter; policy accept;
${indent(
  FAMILIES.map(
    (family) =>
      `ct state new ${header(family)} daddr @vips${family} ${header(family)} daddr != @pools${family} jump refuse`,
  ),
  4,
)}
  }`,
  )
  .join("\n")}
  chain refuse {
    ct state established,related accept
${indent(FAMILIES.map(ping), 4)}
    meta l4proto tcp reject with tcp reset
    meta l4proto udp reject with icmpx port-unreachable
    reject with icmpx host-unreachable
  }
}
`;
}

/** The hooks that translate, each with its priority by number: nft 1.0.6 takes "dstnat" on the way in alone. */
const NAT_HOOKS = [
  { hook: "prerouting", priority: -100, rules: "services" },
  { hook: "output", priority: -100, rules: "services" },
  { hook: "postrouting", priority: 100, rules: "sources" },
] as const;

/**
 * Each hook asks twice. A packet sees the rules as they were when it came to the hook's chain (`nft_do_chain` in
 * net/netfilter/nf_tables_core.c), and elements as they are when they are looked up (`nft_lookup_eval`). So if a commit
 * comes between, it may find nothing: its own elements are gone, or lead to a chain that had no rules yet; and of a table
 * that is replaced it comes to the new chain first, which is empty until the commit, and then to the old one, which is
 * empty after it. A VIP's packet would be refused. The second chain sees all as it is by then; no packet comes there that
 * the first has led somewhere (`nf_nat_inet_fn` in net/netfilter/nf_nat_core.c).
 */
function translations({ hook, priority, rules }: (typeof NAT_HOOKS)[number]): readonly string[] {
  return [
    `  chain ${hook} { type nat hook ${hook} priority ${priority}; policy accept; jump ${rules}; }`,
    `  chain ${hook}-again { type nat hook ${hook} priority ${priority + 1}; policy accept; jump ${rules}; }`,
  ];
}

function setsOf(family: Family): string[] {
  const address = family === 4 ? "ipv4_addr" : "ipv6_addr";
  return [
    `map vip${family} { type ${address} . inet_proto . inet_service : verdict; }`,
    `map any${family} { type ${address} : verdict; }`,
    `map pub${family} { type inet_proto . inet_service : verdict; }`,
    `set closed${family} { type inet_proto . inet_service; }`,
    `set vips${family} { type ${address}; }`,
    `set pools${family} { type ${address}; flags interval; }`,
    `set local${family} { type ${address} . ${address}; }`,
    `set remote${family} { type ${address}; }`,
  ];
}

/** A VIP's own ports come before all of its ports, and VIPs before the node's addresses, as they are the node's, too. */
function dispatch(family: Family): string[] {
  const ip = header(family);
  return [
    `${ip} daddr . meta l4proto . th dport vmap @vip${family}`,
    `meta l4proto { tcp, udp } ${ip} daddr vmap @any${family}`,
    `${isNode(family)} meta l4proto . th dport vmap @pub${family}`,
  ];
}

/** The kernel leads nothing to a task that came to 127.0.0.1 or ::1: its answer could not come back. */
function isNode(family: Family): string {
  const ip = header(family);
  const loopback = family === 4 ? "127.0.0.0/8" : "::1";
  return `${ip} daddr != ${loopback} ${ip} daddr != @pools${family} fib daddr type local`;
}

/** Where the answer would pass by this node, or never leave the task's, the task is to see this node. */
function sources(family: Family): string[] {
  const ip = header(family);
  return [
    // A task that is led to itself.
    `ct status dnat ${ip} saddr . ${ip} daddr @local${family} masquerade`,
    // The node itself: it took the VIP for its own address, as that is local. Not by pools: what a commit adds to a set of
    // intervals may be found only some microseconds after the rules that look there are (seen on Linux 6.18).
    `ct status dnat ${ip} saddr @vips${family} masquerade`,
    // Whoever is no task of this node, to a task of another node, which has its own way back to them; unless ../mesh,
    // which comes before, has kept the source, as that node sends its replies back here.
    `ct status dnat ${ip} daddr @remote${family} ${ip} saddr . ${ip} saddr != @local${family} masquerade`,
  ];
}

function refusals(family: Family): string[] {
  const ip = header(family);
  return [
    `${ip} daddr @pools${family} jump refuse`,
    `ct state new ct status & dnat == 0 ${isNode(family)} meta l4proto . th dport @closed${family} jump refuse`,
  ];
}

function ping(family: Family): string {
  return family === 4
    ? "ip daddr @vips4 icmp type echo-request accept"
    : "ip6 daddr @vips6 icmpv6 type echo-request accept";
}

function indent(lines: readonly string[], by = 2): string {
  return lines.map((line) => " ".repeat(by) + line).join("\n");
}
