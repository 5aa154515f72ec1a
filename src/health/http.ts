import { formatAddress, formatEndpoint } from "../model/address.ts";
import { DEFAULT_TLS, type HttpProbe, type Match } from "../model/check.ts";
import { formatSpan } from "../model/duration.ts";
import type { Attempt } from "./attempt.ts";
import type { Remote } from "./connect.ts";
import { type Answer, askHttp } from "./http-ask.ts";
import { type Outcome, outcome, type Target } from "./outcome.ts";
import { defaultPort, type Hop, isRedirect, redirectedTo } from "./redirect.ts";
import type { Trust } from "./tls.ts";

/** RFC 9110 section 8.6: with any other method, who sends no content says so. */
const WITHOUT_CONTENT: ReadonlySet<string> = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"]);

/** Asks over a new connection, follows redirects as far as it may, and judges the last answer. */
export function attemptHttp(trust: Trust): Attempt<HttpProbe> {
  return async (probe, target, signal, stage) => {
    const startedMs = performance.now();
    let hop = firstHop(probe, target);
    for (let followed = 0; ; followed++) {
      const remote = {
        address: target.address,
        port: hop.port,
        tls: hop.scheme === "https" ? await secure(probe, hop) : undefined,
      };
      const answer = await askHttp(hop, headersOf(probe, hop), remote, seek, signal, stage);
      if (!isFollowed(probe, answer)) return judge(probe, answer, followed, performance.now() - startedMs);
      if (followed === probe.redirects) return outcome("fail", `redirects over ${followed} times`);
      const next = redirectedTo(hop, answer.status, answer.location, target.address);
      if (typeof next === "string") return outcome("fail", next);
      hop = next;
    }

    function seek(answer: Answer): Match | undefined {
      return isExpected(probe, answer.status) && !isFollowed(probe, answer) ? probe.body : undefined;
    }
  };

  /** A probe of plain HTTP may be redirected to https. */
  async function secure({ tls = DEFAULT_TLS }: HttpProbe, { host }: Hop): Promise<Remote["tls"]> {
    const name = new URL(`https://${host}`).hostname.replace(/^\[(.*)\]$/, "$1");
    return { ...(await trust(tls, name)), ALPNProtocols: ["http/1.1"] };
  }
}

function firstHop({ tls, method, path, host, port }: HttpProbe, target: Target): Hop {
  const scheme = tls ? "https" : "http";
  const at = target.port ?? port.number;
  // RFC 9110 section 7.2: the header is what stands in the URL, where the scheme's own port may be left out.
  const endpoint = formatEndpoint(formatAddress(target.address), at);
  const own = at === defaultPort(scheme) ? endpoint.replace(/:\d+$/, "") : endpoint;
  return { method, path, scheme, host: host ?? own, port: at };
}

/** Names and values in turn, as Node writes them without a change. */
function headersOf(probe: HttpProbe, hop: Hop): string[] {
  const given = new Set(probe.headers.map(([name]) => name.toLowerCase()));
  const headers = probe.headers.flat();
  const add = (name: string, value: string): void => {
    if (!given.has(name)) headers.push(name, value);
  };
  add("host", hop.host);
  add("user-agent", "rota");
  add("accept", "*/*");
  add("connection", "close");
  if (!WITHOUT_CONTENT.has(hop.method)) add("content-length", "0");
  return headers;
}

function isFollowed(probe: HttpProbe, answer: Answer): answer is Answer & { readonly location: string } {
  return probe.redirects > 0 && isRedirect(answer.status) && answer.location !== undefined;
}

function judge(
  probe: HttpProbe,
  { status, phrase, lacks }: Answer,
  followed: number,
  tookMs: number,
): Outcome {
  if (!isExpected(probe, status))
    return outcome(status === 429 ? "warn" : "fail", `HTTP ${status} ${phrase}`);
  if (lacks !== undefined) return outcome("fail", `HTTP ${status} without ${lacks}`);
  const way = followed === 0 ? "" : `, redirected ${followed === 1 ? "once" : `${followed} times`}`;
  return outcome("pass", `HTTP ${status} in ${formatSpan(tookMs)}${way}`);
}

function isExpected({ status: ranges }: HttpProbe, status: number): boolean {
  return ranges.some(({ from, to }) => from <= status && status <= to);
}
