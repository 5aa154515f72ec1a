import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createRegistry } from "../../src/registry/registry.ts";
import { forgetfulStore } from "../../src/registry/vips.ts";
import { roster, stillClock } from "../dns/served.ts";

const SERVICES = 2000;
const TASKS = 10;
/** 720 as it is; with an empty map of ports for each task 920, with a hidden class for each 1,110. */
const MOST_OCTETS = 800;

test("a task takes less than 800 octets, its declaration and all that its service has included", () => {
  const registry = createRegistry({ clock: stillClock(), store: forgetfulStore });
  const source = registry.open("file");
  source.publish(declared("warm-up")); // what is compiled, and what there is once
  const before = heapOctets();
  source.publish(declared("service"));
  const octets = (heapOctets() - before) / ((SERVICES - 1) * TASKS);
  expect([...registry.services()]).toHaveLength(SERVICES);
  expect(octets).toBeLessThan(MOST_OCTETS);
});

function declared(name: string) {
  const count = name === "warm-up" ? 1 : SERVICES;
  const services = Array.from({ length: count }, (_, service) => [
    `${name}-with-a-name-${service}`,
    {
      endpoint_mode: "dnsrr" as const,
      ports: [{ name: "http", target: 8080 }],
      tasks: Array.from({ length: TASKS }, (_, task) => `10.${service >> 8}.${service & 255}.${task}`),
    },
  ]);
  return roster({ services: Object.fromEntries(services) });
}

function heapOctets(): number {
  setFlagsFromString("--expose-gc");
  const gc: unknown = runInNewContext("gc");
  if (typeof gc !== "function") throw new Error("nothing collects garbage");
  gc();
  gc();
  return process.memoryUsage().heapUsed;
}
