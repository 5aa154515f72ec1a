import type { ServicesFile } from "../../src/schema/input.ts";

/** The one VIP there is to give, so that tests can name it. */
export const VIP = "127.64.0.80";

/** How many tasks `crowd` has: more than any datagram holds. */
export const CROWD = 200;

/** What all clients ask for. Every address is on loopback: some of them fetch. */
export const SERVICES: ServicesFile = {
  networks: { front: { subnets: ["127.0.0.0/22"], vips: `${VIP}/32` } },
  services: {
    web: {
      networks: ["front"],
      aliases: ["www"],
      ports: [{ name: "http", target: 8080, port: 80 }],
      labels: { team: "shop", tier: "1" },
      tasks: [
        { id: "blue", slot: 1, address: "127.0.1.1" },
        { id: "green", slot: 2, address: "127.0.1.2" },
      ],
    },
    api: {
      networks: ["front"],
      endpoint_mode: "dnsrr",
      ports: [{ name: "grpc", target: 9000 }],
      tasks: [
        { id: "a", address: "127.0.2.1", weight: 2 },
        { id: "b", address: "127.0.2.2" },
        { id: "c", address: "127.0.2.3:9009" },
      ],
    },
    /** Of both families. */
    dual: {
      networks: ["front"],
      endpoint_mode: "dnsrr",
      tasks: [{ id: "d", address: ["127.0.3.1", "::1"] }],
    },
    cart: { networks: ["front"], namespace: "shop", endpoint_mode: "dnsrr", tasks: ["127.0.3.2"] },
    /** Exists, and has nobody to answer with. */
    idle: { networks: ["front"], endpoint_mode: "dnsrr" },
    sick: { networks: ["front"], endpoint_mode: "dnsrr", when_empty: "servfail" },
    crowd: { networks: ["front"], endpoint_mode: "dnsrr", tasks: crowd() },
  },
};

function crowd(): string[] {
  return Array.from({ length: CROWD }, (_, at) => `10.0.1.${at + 1}`);
}
