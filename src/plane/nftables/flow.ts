import { attempt } from "../../base/error.ts";
import { type Address, parseAddress } from "../../model/address.ts";
import type { Run } from "../command.ts";

/** One flow that the kernel leads elsewhere than it was sent to. */
export interface Flow {
  readonly protocol: "tcp" | "udp";
  /** Where it was sent to. */
  readonly to: Address;
  readonly port: number;
  /** Where it was led to. */
  readonly task: Address;
  readonly taskPort: number;
  /** Whether more is to come, as far as it can be told: of UDP, until it is forgotten. */
  readonly isOpen: boolean;
}

/** States of TCP in which both sides have said their last (`nf_conntrack_proto_tcp.c`). */
const OVER: ReadonlySet<string> = new Set(["TIME_WAIT", "CLOSE", "LAST_ACK"]);

/** How many lines are read at a time. */
const SLICE = 5_000;

/** The flows that are there, of both families. Two million would be more than is read: it rejects then. */
export async function listFlows(run: Run): Promise<readonly Flow[]> {
  const flows: Flow[] = [];
  for (const family of ["ipv4", "ipv6"]) {
    const lines = (await run("conntrack", ["-L", "-f", family], { maxOctets: 384 * 1024 * 1024 })).split(
      "\n",
    );
    for (const [at, line] of lines.entries()) {
      const flow = parseFlow(line);
      if (flow !== undefined) flows.push(flow);
      if (at % SLICE === SLICE - 1) await new Promise(setImmediate);
    }
  }
  return flows;
}

const LINE =
  /^(tcp|udp)\s+\d+ \d+ (?:([A-Z_0-9]+) )?src=\S+ dst=(\S+) sport=\d+ dport=(\d+) .*?\bsrc=(\S+) dst=\S+ sport=(\d+) /;

/** A line of `conntrack -L`; undefined: it is led nowhere else. */
export function parseFlow(line: string): Flow | undefined {
  const [, protocol, state = "", to = "", port, task = "", taskPort] = LINE.exec(line) ?? [];
  if (protocol === undefined || (to === task && port === taskPort)) return undefined;
  return attempt(() => ({
    protocol: protocol === "tcp" ? "tcp" : "udp",
    to: parseAddress(to),
    port: Number(port),
    task: parseAddress(task),
    taskPort: Number(taskPort),
    isOpen: !OVER.has(state),
  }));
}
