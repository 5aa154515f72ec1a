import { fileURLToPath } from "node:url";
import { outputOf } from "../run.ts";

/**
 * Runs a script in a process of its own, behind the words of `wrapper`, and reads the JSON that it prints. In it,
 * `run(probe, port)` tries a task on 127.0.0.1.
 */
export async function runAlone(wrapper: readonly string[], script: string): Promise<unknown> {
  const node = [process.execPath, "--input-type=module", "--eval", PRELUDE + script];
  const [program = "", ...words] = [...wrapper, ...node];
  return JSON.parse(await outputOf(program, words));
}

/** A wrapper for a network of one's own: what runs behind it has one port to call from. */
export const ONE_PORT: readonly string[] = [
  "sh",
  "-c",
  'echo 40000 40000 > /proc/sys/net/ipv4/ip_local_port_range; exec "$@"',
  "sh",
];

const PRELUDE = `
  import { createProbes } from ${built("health/probe.js")};
  import { parseAddress } from ${built("model/address.js")};
  const address = parseAddress("127.0.0.1");
  const { signal } = new AbortController();
  const run = (probe, port) => createProbes()(probe, { service: "web", task: "a", address, port }, 5000, signal);`;

function built(path: string): string {
  return JSON.stringify(fileURLToPath(new URL(`../../dist/${path}`, import.meta.url)));
}
