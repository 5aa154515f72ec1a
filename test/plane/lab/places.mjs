// Plans of labs. Everything is laid by ip(8) within namespaces that have no name and last as long as an agent is in
// them; the machine's own addresses, routes and tables are never touched.

import { randomInt } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { layMesh } from "../mesh/places.mjs";

/** How many addresses the client asks from: enough to tell clients apart by their address. */
const CLIENTS = 16;

/**
 * Lays `plan`: `{ kind: "loopback" | "routed" | "bridge", tasks, isBridgeFiltered }`. Resolves with who is where.
 *
 * - `loopback`: all agents on this machine's loopback, as nobody where this is root.
 * - `routed`: a node that forwards, and each task and the client behind it on a link of its own, with addresses that
 *   are in no common subnet.
 * - `bridge`: the same on one bridge of the node. `isBridgeFiltered`: whether its traffic passes the node's tables.
 */
export async function lay(plan, hub) {
  if (plan.kind === "mesh") return layMesh(plan, hub);
  return plan.kind === "loopback" ? layLoopback(plan, hub) : layNode(plan, hub);
}

async function layLoopback({ tasks }, { start }) {
  const wrapper =
    process.getuid() === 0 ? ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] : [];
  const block = await claimBlock();
  const names = taskNames(tasks);
  await Promise.all(["node", "c1", ...names].map((name) => start(name, wrapper)));
  return {
    families: existsSync("/proc/net/if_inet6") ? [4, 6] : [4],
    tasks: names.map((name, at) => ({ name, 4: `127.61.${block}.${at + 11}`, 6: "::1" })),
    client: { name: "c1", 4: range((at) => `127.62.${block}.${at + 1}`), 6: ["::1"] },
    node: { 4: "127.0.0.1", 6: "::1" },
    pools: ["127.64.0.0/16"],
    vips: { 4: `127.64.${block}.`, 6: undefined },
    // Who is nobody may not listen below 1024; there is but one address of IPv6, so that ports tell who is who.
    vipPort: 8080,
  };
}

/** The third octet of addresses that no other lab on this machine has: held by a listener, as long as this lives. */
async function claimBlock() {
  for (;;) {
    const block = randomInt(1, 255);
    const claim = createServer().listen(8079, `127.61.${block}.254`);
    try {
      await once(claim, "listening");
      return block;
    } catch {
      // Another lab has it.
    }
  }
}

async function layNode({ kind, tasks, isBridgeFiltered = true }, { start, script }) {
  const hasIpv6 = existsSync("/proc/sys/net/ipv6");
  const names = taskNames(tasks);
  const addresses = new Map([
    ...names.map((name, at) => [name, { 4: [`10.61.1.${at + 11}`], 6: [`fd61::1:${at + 11}`] }]),
    ["c1", { 4: range((at) => `10.61.1.${at + 97}`), 6: range((at) => `fd61::1:${at + 97}`) }],
  ]);
  const places = ["node", ...addresses.keys()];
  const pids = await Promise.all(places.map((name) => start(name, ["unshare", "--net"], true)));
  const [, ...leaves] = pids;
  const links = [...addresses].map(([name, own], at) => ({ name, own, pid: leaves[at] }));
  const text = kind === "bridge" ? nodeWithBridge(links, isBridgeFiltered) : nodeWithLinks(links);
  await script("node", `${PRELUDE}\n${batch(text, hasIpv6)}\n${FORWARDING}`);
  const leaf = kind === "bridge" ? leafOnBridge : leafOnLink;
  await Promise.all(links.map(({ name, own }) => script(name, `${PRELUDE}\n${batch(leaf(own), hasIpv6)}`)));
  return {
    families: hasIpv6 ? [4, 6] : [4],
    tasks: names.map((name) => ({ name, 4: addresses.get(name)[4][0], 6: addresses.get(name)[6][0] })),
    client: { name: "c1", ...addresses.get("c1") },
    node: { 4: "10.61.0.1", 6: "fd61::1" },
    pools: hasIpv6 ? ["10.64.0.0/16", "fd64::/112"] : ["10.64.0.0/16"],
    vips: { 4: "10.64.1.", 6: "fd64::" },
    vipPort: 80,
  };
}

/** No wait for duplicate addresses, no routers or redirects from elsewhere, and every refusal is told. */
const PRELUDE = `
set_to() { value="$1"; shift; for file in "$@"; do [ ! -e "$file" ] || echo "$value" > "$file"; done; }
set_to 0 /proc/sys/net/ipv4/conf/*/rp_filter /proc/sys/net/ipv4/conf/*/send_redirects
set_to 0 /proc/sys/net/ipv4/conf/*/accept_redirects /proc/sys/net/ipv4/icmp_ratelimit
set_to 0 /proc/sys/net/ipv6/conf/*/accept_dad /proc/sys/net/ipv6/conf/*/accept_ra /proc/sys/net/ipv6/icmp/ratelimit`;

const FORWARDING = `set_to 1 /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding`;

const NODE = `
link set lo up
address add 10.61.0.1/32 dev lo
-6 address add fd61::1/128 dev lo nodad`;

/** A link for each, which the node reaches by a route to its address alone. */
function nodeWithLinks(links) {
  const each = links.map(({ name, own, pid }) => {
    const routes = own[4].map((address) => `route add ${address}/32 dev ${name} src 10.61.0.1`);
    const routes6 = own[6].map((address) => `-6 route add ${address}/128 dev ${name} src fd61::1`);
    return `
link add ${name} type veth peer name eth0 netns ${pid}
link set ${name} up
address add 169.254.1.1/32 dev ${name}
-6 address add fe80::1/64 dev ${name} nodad
${[...routes, ...routes6].join("\n")}`;
  });
  return { ip: NODE + each.join("") };
}

function leafOnLink(own) {
  return {
    ip: `
link set lo up
link set eth0 up
${own[4].map((address) => `address add ${address}/32 dev eth0`).join("\n")}
${own[6].map((address) => `-6 address add ${address}/128 dev eth0 nodad`).join("\n")}
route add 169.254.1.1 dev eth0
route add default via 169.254.1.1 dev eth0
-6 route add ::/0 via fe80::1 dev eth0`,
  };
}

function nodeWithBridge(links, isBridgeFiltered) {
  const each = links.map(
    ({ name, pid }) => `
link add ${name} type veth peer name eth0 netns ${pid}
link set ${name} master br0
link set ${name} up
link set ${name} type bridge_slave hairpin on`,
  );
  const ip = `${NODE}
link add br0 type bridge
link set br0 up
address add 10.61.1.1/24 dev br0
-6 address add fd61::1:1/112 dev br0 nodad${each.join("")}`;
  const after = `set_to ${isBridgeFiltered ? 1 : 0} /proc/sys/net/bridge/bridge-nf-call-*tables`;
  return { ip, after };
}

function leafOnBridge(own) {
  return {
    ip: `
link set lo up
link set eth0 up
${own[4].map((address) => `address add ${address}/24 dev eth0`).join("\n")}
${own[6].map((address) => `-6 address add ${address}/112 dev eth0 nodad`).join("\n")}
route add default via 10.61.1.1 dev eth0
-6 route add ::/0 via fd61::1:1 dev eth0`,
  };
}

/** One ip(8) for all of it: a guest's kernel is slow to start programs. */
function batch({ ip, after = "" }, hasIpv6) {
  const lines = ip.split("\n").filter((line) => line !== "" && (hasIpv6 || !line.startsWith("-6")));
  return `ip -batch - <<'END'\n${lines.map((line) => line.replace(/^-6 /, "")).join("\n")}\nEND\n${after}`;
}

function taskNames(count) {
  return Array.from({ length: count }, (_, at) => `t${at + 1}`);
}

function range(write) {
  return Array.from({ length: CLIENTS }, (_, at) => write(at));
}
