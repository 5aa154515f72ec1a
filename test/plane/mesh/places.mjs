// The plan of a mesh: two nodes and an outside client on one switch, tasks and a plain client behind each node.

const NODES = [
  { name: "n1", number: 1, leaves: ["a1", "a2", "c1"] },
  { name: "n2", number: 2, leaves: ["b1", "b2", "c2"] },
];
const LAST = { a1: 11, a2: 12, c1: 50, b1: 11, b2: 12, c2: 50 };
/** Outside, on the switch. */
const EXT = { 4: "10.99.0.9", 6: "fd99::9" };

/**
 * Lays `{ kind: "mesh", behind: "routed" | "tunnel" | "bridge" | "vxlan", isBridgeFiltered }`, and tells who is where.
 *
 * - `routed`: each leaf is on a link of its own and has an address in no common subnet.
 * - `tunnel`: the same, and what goes from node to node goes through a link without ARP, as WireGuard's.
 * - `bridge`: each node has a bridge with a subnet of its own.
 * - `vxlan`: the two bridges are one link and one subnet, as an overlay's.
 *
 * Bridges pass their node's tables where `isBridgeFiltered`.
 */
export async function layMesh({ behind, isBridgeFiltered = true }, { start, script }) {
  const leaves = NODES.flatMap((node) => node.leaves.map((name) => ({ name, node })));
  const names = ["sw", "ext", ...NODES.map(({ name }) => name), ...leaves.map(({ name }) => name)];
  const pids = new Map(
    await Promise.all(names.map(async (name) => [name, await start(name, ["unshare", "--net"], true)])),
  );
  const text = (lines) => `${PRELUDE}\nip -batch - <<'END'\n${lines.flat().join("\n")}\nEND\n`;
  await script("sw", text(["link set lo up", "link add br0 type bridge", "link set br0 up", ...plugs(pids)]));
  await script("ext", text(onSwitch(EXT)));
  if (behind === "tunnel") {
    await script("n1", text([`link add t0 type veth peer name t0 netns ${pids.get("n2")}`]));
  }
  for (const node of NODES) {
    const lines = [onSwitch(nodeAddresses(node)), behindNode(behind, node, pids)];
    await script(node.name, `${text(lines)}${forwarding(isBridgeFiltered)}`);
  }
  await Promise.all(leaves.map(({ name, node }) => script(name, text(leaf(behind, node, name)))));
  return {
    ext: EXT,
    nodes: Object.fromEntries(NODES.map((node) => [node.name, nodeAddresses(node)])),
    /** What else nodes are seen as: by tasks beside them, and by each other. */
    seen: Object.fromEntries(NODES.map((node) => [node.name, seenAs(node)])),
    leaves: Object.fromEntries(leaves.map(({ name, node }) => [name, leafAddresses(node, name)])),
  };
}

/** As a machine has it that was not told otherwise, but every refusal is told, and no address waits for doubles. */
const PRELUDE = `
set_to() { value="$1"; shift; for file in "$@"; do [ ! -e "$file" ] || echo "$value" > "$file"; done; }
set_to 0 /proc/sys/net/ipv4/icmp_ratelimit /proc/sys/net/ipv6/icmp/ratelimit
set_to 0 /proc/sys/net/ipv6/conf/*/accept_dad /proc/sys/net/ipv6/conf/*/accept_ra`;

function forwarding(isBridgeFiltered) {
  return `set_to 1 /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding
set_to ${isBridgeFiltered ? 1 : 0} /proc/sys/net/bridge/bridge-nf-call-iptables /proc/sys/net/bridge/bridge-nf-call-ip6tables`;
}

function nodeAddresses({ number }) {
  return { 4: `10.99.0.${number}`, 6: `fd99::${number}` };
}

function seenAs({ number }) {
  return [`10.61.${number}.1`, `fd61:${number}::1`, `10.98.0.${number}`, `fd98::${number}`];
}

function leafAddresses({ number }, name) {
  return { 4: `10.61.${number}.${LAST[name]}`, 6: `fd61:${number}::${LAST[name]}` };
}

/** A port of the switch for each node and for the client outside. */
function plugs(pids) {
  return ["ext", ...NODES.map(({ name }) => name)].flatMap((name) => [
    `link add ${name} type veth peer name eth0 netns ${pids.get(name)}`,
    `link set ${name} master br0`,
    `link set ${name} up`,
  ]);
}

function onSwitch(own) {
  return [
    "link set lo up",
    "link set eth0 up",
    `address add ${own[4]}/24 dev eth0`,
    `address add ${own[6]}/64 dev eth0 nodad`,
  ];
}

function behindNode(behind, node, pids) {
  const links = node.leaves.flatMap((name) => [
    `link add ${name} type veth peer name eth0 netns ${pids.get(name)}`,
    `link set ${name} up`,
  ]);
  switch (behind) {
    case "routed":
      return [...links, ...node.leaves.flatMap((name) => routesTo(node, name)), ...routesToOther(node)];
    case "tunnel":
      return [...links, ...node.leaves.flatMap((name) => routesTo(node, name)), ...tunnelEnd(node)];
    case "bridge":
      return [...bridge(node, 24, 64), ...links, ...ports(node), ...routesToOther(node)];
    case "vxlan":
      return [...bridge(node, 16, 16), ...links, ...ports(node), ...overlay(node)];
  }
}

function routesTo(node, name) {
  const own = leafAddresses(node, name);
  return [
    `address add 169.254.1.1/32 dev ${name}`,
    `address add fe80::1/64 dev ${name} nodad`,
    `route add ${own[4]}/32 dev ${name}`,
    `route add ${own[6]}/128 dev ${name}`,
  ];
}

function routesToOther({ number }) {
  const other = 3 - number;
  return [
    `route add 10.61.${other}.0/24 via 10.99.0.${other}`,
    `route add fd61:${other}::/64 via fd99::${other}`,
  ];
}

/** An end of a link on which no frame says who is meant: both ends have the same MAC address. */
function tunnelEnd({ number }) {
  const other = 3 - number;
  return [
    "link set t0 address 02:00:00:00:00:01 arp off up",
    `address add 10.98.0.${number}/24 dev t0`,
    `address add fd98::${number}/64 dev t0 nodad`,
    `route add 10.61.${other}.0/24 dev t0`,
    `route add fd61:${other}::/64 dev t0`,
  ];
}

function bridge({ number }, length, length6) {
  return [
    "link add br0 type bridge",
    "link set br0 up",
    `address add 10.61.${number}.1/${length} dev br0`,
    `address add fd61:${number}::1/${length6} dev br0 nodad`,
  ];
}

function ports({ leaves }) {
  return leaves.flatMap((name) => [
    `link set ${name} master br0`,
    `link set ${name} type bridge_slave hairpin on`,
  ]);
}

function overlay({ number }) {
  return [
    `link add vx0 type vxlan id 42 dstport 4789 local 10.99.0.${number} remote 10.99.0.${3 - number} dev eth0`,
    "link set vx0 master br0",
    "link set vx0 up",
  ];
}

function leaf(behind, node, name) {
  const own = leafAddresses(node, name);
  const up = ["link set lo up", "link set eth0 up"];
  if (behind === "routed" || behind === "tunnel") {
    return [
      ...up,
      `address add ${own[4]}/32 dev eth0`,
      `address add ${own[6]}/128 dev eth0 nodad`,
      "route add 169.254.1.1 dev eth0",
      "route add default via 169.254.1.1 dev eth0",
      "route add ::/0 via fe80::1 dev eth0",
    ];
  }
  const [length, length6] = behind === "bridge" ? [24, 64] : [16, 16];
  return [
    ...up,
    `address add ${own[4]}/${length} dev eth0`,
    `address add ${own[6]}/${length6} dev eth0 nodad`,
    `route add default via 10.61.${node.number}.1 dev eth0`,
    `route add ::/0 via fd61:${node.number}::1 dev eth0`,
  ];
}
