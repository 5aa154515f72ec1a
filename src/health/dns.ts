import { ask, type Reply } from "../ask/ask.ts";
import { RotaError } from "../base/error.ts";
import type { DnsProbe } from "../model/check.ts";
import { formatName } from "../model/name.ts";
import { formatType } from "../model/mnemonics.ts";
import type { Attempt } from "./attempt.ts";
import { type Outcome, outcome, type Target } from "./outcome.ts";

/** What an answer may have: some 250 addresses. A larger one is work for this process, at the task's will. */
const MAX_OCTETS = 4096;

/**
 * Asks the task a question and compares what comes back. Recursion is desired, as dig does by default: a resolver
 * answers only so, and an authoritative server takes no notice (RFC 1034 section 4.3.1).
 */
export const attemptDns: Attempt<DnsProbe> = async (probe, target, signal, stage) => {
  stage(`waiting for the answer to ${formatName(probe.name)} ${formatType(probe.type)}`);
  let reply: Reply;
  try {
    reply = await ask(
      probe,
      { transport: probe.transport, address: target.address, port: portOf(probe, target) },
      // The signal ends it, with a better message than its own time-out has.
      { timeoutMs: Infinity, recursionDesired: true, truncated: "retry", maxOctets: MAX_OCTETS },
      signal,
    );
  } catch (error) {
    // What `ask` says around the cause is for somebody at a prompt; the cause tells whose fault it is.
    if (error instanceof RotaError && error.cause !== undefined) throw error.cause;
    throw error;
  }
  return judge(probe, reply);
};

function judge(probe: DnsProbe, { rcode, flags, answers }: Reply): Outcome {
  const given = answers.map(({ data }) => data);
  const said = [rcode.name, ...(given.length > 0 ? [given.join(", ")] : [])].join(" ");
  if (rcode.name !== probe.rcode) return outcome("fail", `${said}, not ${probe.rcode}`);
  // Over UDP `ask` would have asked again.
  if (flags.includes("tc")) return outcome("fail", `${said}, truncated even over TCP`);
  const known = new Set(given.map(folded));
  const missing = probe.answers.filter((text) => !known.has(folded(text)));
  if (missing.length > 0) return outcome("fail", `${said}, without ${missing.join(", ")}`);
  const isNothing = rcode.name === "NOERROR" && given.length === 0;
  return isNothing ? outcome("fail", "NOERROR without a record") : outcome("pass", said);
}

function portOf(probe: DnsProbe, target: Target): number {
  return target.port ?? probe.port.number;
}

/** Without what means nothing in a name (RFC 4343 section 3): case, and whether the dot at its end is written. */
function folded(data: string): string {
  return data.toLowerCase().replaceAll(/\.(?=\s|$)/g, "");
}
