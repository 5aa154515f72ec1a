// The same names and answers for each server of the part `queries`, as its files have them.

import { FOUR, MANY, PORT, SRV_NAME, SRV_TASKS, TTL, UNIFORM, VIP, ZONE } from "./queries-names.mjs";

/** Every name with an address, of which some have several. */
const HOSTS = [
  { name: VIP.name, tasks: [VIP.address] },
  FOUR,
  MANY,
  ...SRV_TASKS.map(({ name, address }) => ({ name, tasks: [address] })),
  ...UNIFORM,
].flatMap(({ name, tasks }) => tasks.map((address) => ({ name, address })));

/** For Rota; JSON is YAML. */
export function servicesFile() {
  const lists = [FOUR, MANY, ...UNIFORM].map(({ name, tasks }) => [
    name,
    {
      endpoint_mode: "dnsrr",
      ports: [{ name: "http", target: PORT }],
      tasks: tasks.map((address, at) => ({ id: SRV_TASKS[at]?.name.split(".")[0] ?? `t${at}`, address })),
    },
  ]);
  return JSON.stringify({
    networks: { front: { subnets: [VIP.network], vips: `${VIP.address}/32` } },
    services: { [VIP.name]: { networks: ["front"], tasks: VIP.tasks }, ...Object.fromEntries(lists) },
  });
}

/** For Knot, NSD and CoreDNS. */
export function zoneFile() {
  const lines = [
    `$ORIGIN ${ZONE}.`,
    `$TTL ${TTL}`,
    `@ SOA ns.example. hostmaster 1 3600 600 86400 ${TTL}`,
    "@ NS ns.example.", // elsewhere, so that nobody adds its addresses
    ...HOSTS.map(({ name, address }) => `${name} A ${address}`),
    ...SRV_TASKS.map(({ name }) => `${SRV_NAME} SRV 0 1 ${PORT} ${name}`),
  ];
  return `${lines.join("\n")}\n`;
}

/** For dnsmasq: the addresses, as /etc/hosts has them. */
export function hostsFile() {
  return HOSTS.map(({ name, address }) => `${address} ${name}.${ZONE}\n`).join("");
}

export function dnsmasqConfig(port, folder) {
  const services = SRV_TASKS.map(({ name }) => `srv-host=${SRV_NAME}.${ZONE},${name}.${ZONE},${PORT},0,1`);
  return `port=${port}
listen-address=127.0.0.1
bind-interfaces
user=
group=
pid-file=
no-resolv
no-hosts
addn-hosts=${folder}/hosts
local=/${ZONE}/
local-ttl=${TTL}
cache-size=20000
${services.join("\n")}
`;
}

/** One thread for UDP; answers in turn, as Rota's. */
export function knotConfig(port, folder) {
  return `server:
  rundir: ${folder}
  listen: 127.0.0.1@${port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
  answer-rotation: on
log:
  - target: stderr
    any: error
database:
  storage: ${folder}
zone:
  - domain: ${ZONE}
    storage: ${folder}
    file: zone
    zonefile-sync: -1
    journal-content: none
`;
}

/**
 * One process that serves; no limit on the rate of answers, which is 200 a second as Debian builds it. With minimal responses
 * SRV records would come without addresses; without, each answer has the zone's NS record as well.
 */
export function nsdConfig(port, folder) {
  return `server:
  ip-address: 127.0.0.1@${port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "${folder}"
  database: ""
  pidfile: "${folder}/nsd.pid"
  zonelistfile: "${folder}/zone.list"
  xfrdfile: "${folder}/xfrd.state"
  xfrdir: "${folder}"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
  round-robin: yes
  minimal-responses: no
  verbosity: 0
remote-control:
  control-enable: no
zone:
  name: "${ZONE}"
  zonefile: "zone"
`;
}

export function corednsConfig(port, folder) {
  return `${ZONE}:${port} {
  bind 127.0.0.1
  file ${folder}/zone
  loadbalance round_robin
}
`;
}
