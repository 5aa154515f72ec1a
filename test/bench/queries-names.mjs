// What the servers of the part `queries` are asked, and what is behind it: the same for all of them.

import { randomBytes } from "node:crypto";

export const ZONE = "rota.internal";
/** Seconds; of negative answers, too. */
export const TTL = 5;
export const PORT = 8080;

/** A service with a VIP: its tasks, and the network whose only VIP it gets. */
export const VIP = {
  name: "vip",
  address: "10.0.2.1",
  network: "10.0.1.0/24",
  tasks: addresses("10.0.1", 2),
};
/** Services that answer with their tasks. */
export const FOUR = { name: "four", tasks: addresses("10.0.3", 4) };
export const MANY = { name: "many", tasks: addresses("10.0.4", 25) };
export const UNIFORM = Array.from({ length: 10_000 }, (_, at) => ({
  name: `name-${at}`,
  tasks: [`10.1.${at >> 8}.${at & 255}`],
}));
/** Tasks of `four`, as its SRV records name them. */
export const SRV_TASKS = FOUR.tasks.map((address, at) => ({ name: `${"abcd"[at]}.${FOUR.name}`, address }));
export const SRV_NAME = `_http._tcp.${FOUR.name}`;

/** Enough that a second of the fastest server does not come to the end of it. */
const RANDOM_NAMES = 300_000;
const UNIFORM_QUERIES = 100_000;

const records = (found) => found.map((address) => `A ${address}`);

/**
 * Each: its key; what is asked, a line for each query; and the question that the server is checked with, as
 * `rcode`, `answers` and `additionals` of its reply should be. Negative answers should have a SOA.
 */
export const MIXES = [
  {
    key: "vip",
    label: "VIP A",
    lines: () => [`${VIP.name}.${ZONE} A`],
    check: { name: VIP.name, type: "A", rcode: "NOERROR", answers: records([VIP.address]), additionals: [] },
  },
  {
    key: "four",
    label: "A of 4",
    lines: () => [`${FOUR.name}.${ZONE} A`],
    check: { name: FOUR.name, type: "A", rcode: "NOERROR", answers: records(FOUR.tasks), additionals: [] },
  },
  {
    key: "many",
    label: "A of 25",
    lines: () => [`${MANY.name}.${ZONE} A`],
    check: { name: MANY.name, type: "A", rcode: "NOERROR", answers: records(MANY.tasks), additionals: [] },
  },
  {
    key: "srv",
    label: "SRV of 4",
    lines: () => [`${SRV_NAME}.${ZONE} SRV`],
    check: {
      name: SRV_NAME,
      type: "SRV",
      rcode: "NOERROR",
      answers: SRV_TASKS.map(({ name }) => `SRV 0 1 ${PORT} ${name}.${ZONE}.`),
      additionals: records(FOUR.tasks),
    },
  },
  {
    key: "nodata",
    label: "NODATA",
    lines: () => [`${FOUR.name}.${ZONE} AAAA`],
    check: { name: FOUR.name, type: "AAAA", rcode: "NOERROR", answers: [], additionals: [] },
  },
  {
    key: "nxdomain",
    label: "NXDOMAIN",
    lines: randomNames,
    check: { name: "no-such-name", type: "A", rcode: "NXDOMAIN", answers: [], additionals: [] },
  },
  {
    key: "names",
    label: "10,000 names",
    lines: uniformNames,
    check: {
      name: UNIFORM[4711].name,
      type: "A",
      rcode: "NOERROR",
      answers: records(UNIFORM[4711].tasks),
      additionals: [],
    },
  },
];

/** Others each time: a server that keeps negative answers is not to have them from before. */
function randomNames() {
  const letters = randomBytes(RANDOM_NAMES * 6).toString("hex");
  return Array.from({ length: RANDOM_NAMES }, (_, at) => `${letters.slice(at * 12, at * 12 + 12)}.${ZONE} A`);
}

function uniformNames() {
  return Array.from({ length: UNIFORM_QUERIES }, () => {
    const { name } = UNIFORM[Math.floor(Math.random() * UNIFORM.length)];
    return `${name}.${ZONE} A`;
  });
}

function addresses(net, count) {
  return Array.from({ length: count }, (_, at) => `${net}.${at + 1}`);
}
