import { expect } from "vitest";
import { formatAddress, formatSubnet, parseSubnet } from "../../../src/model/address.ts";
import { runnerIn } from "../../../src/plane/command.ts";
import { survey } from "../../../src/plane/ipvs/survey.ts";
import { openNamespace, testInNamespace } from "../../clients/namespace.ts";

const POOLS = ["10.64.0.0/16", "fd64::/112"];

interface Told {
  readonly addresses: readonly string[];
  readonly lost: readonly string[];
  readonly unforwarded: readonly string[];
  readonly troubles: readonly RegExp[];
}

const PLAIN: Told = {
  addresses: ["10.99.0.1", "fd99::1"],
  lost: [],
  unforwarded: ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"],
  troubles: [],
};

/** What a machine is like, how it is made so, and what is otherwise there. */
const MACHINES: readonly (readonly [string, string, Partial<Told>])[] = [
  ["with an address of each family", "true", {}],
  [
    "with an address in a pool",
    "ip address add 10.64.3.3/32 dev out",
    {
      lost: ["10.64.0.0/16"],
      troubles: [/^10\.64\.0\.0\/16 has 10\.64\.3\.3 of out in it.*choose other vips$/],
    },
  ],
  [
    "with a route within a pool",
    "ip route add 10.64.7.0/24 via 10.99.0.9",
    {
      lost: ["10.64.0.0/16"],
      troubles: [/^10\.64\.0\.0\/16 is routed elsewhere.*10\.64\.7\.0\/24 via 10\.99\.0\.9/],
    },
  ],
  [
    "without IPv6",
    "sysctl -qw net.ipv6.conf.all.disable_ipv6=1",
    {
      addresses: ["10.99.0.1"],
      lost: ["fd64::/112"],
      troubles: [/^fd64::\/112 is of IPv6, which is off: its VIPs/],
    },
  ],
  [
    "that forwards IPv4",
    "sysctl -qw net.ipv4.ip_forward=1",
    { unforwarded: ["net.ipv6.conf.all.forwarding"] },
  ],
];

for (const [what, make, expected] of MACHINES) {
  testInNamespace({ programs: ["sysctl"] })(`on a machine ${what}`, async () => {
    await using place = await openNamespace();
    const run = runnerIn(place.enter);
    await run("sh", ["-ec", `${LINK}\n${make}`]);
    const found = await survey(POOLS.map(parseSubnet), false, run);
    const { addresses, lost, unforwarded, troubles } = { ...PLAIN, ...expected };
    expect(found.addresses.map(formatAddress).toSorted()).toEqual(addresses);
    expect(found.lostPools.map(formatSubnet)).toEqual(lost);
    expect(found.unforwarded.map(({ name }) => name)).toEqual(unforwarded);
    expect(found.troubles).toEqual(troubles.map((trouble) => expect.stringMatching(trouble)));
    const show = "for family in -4 -6; do ip $family route show table local proto 76; done";
    const routes = (await run("sh", ["-ec", show])).match(/^local \S+/gm) ?? [];
    const kept = POOLS.filter((pool) => !lost.includes(pool));
    expect(routes).toEqual(kept.map((pool) => `local ${pool}`));
  });
}

const LINK = `ip link set lo up
sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
ip link add out type veth peer name far
ip address add 10.99.0.1/24 dev out
ip address add fd99::1/64 dev out nodad
ip link set out up
ip link set far up`;
