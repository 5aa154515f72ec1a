import { type ClientHttp2Session, connect, constants } from "node:http2";
import { isIP } from "node:net";
import { RotaError } from "../../base/error.ts";
import type { Timers } from "../../base/timers.ts";
import { formatAddress, formatEndpoint } from "../../model/address.ts";
import { MAX_MESSAGE_OCTETS } from "../../wire/message.ts";
import type { ForwardCounters } from "./counters.ts";
import { matchReply } from "./question.ts";
import { createReused } from "./reused.ts";
import type { Stream } from "./stream.ts";
import type { Upstream } from "./upstream.ts";

/** RFC 8484 section 6. */
const MESSAGE_TYPE = "application/dns-message";
/** Servers close idle sessions after 10 s to minutes; one that is opened again costs two round trips. */
const IDLE_MS = 8000;
/** With questions waiting and nothing said for so long, nobody is there any more. */
const SILENT_MS = 2000;
/** What a status and a type need, many times over. */
const MAX_HEADER_OCTETS = 16 * 1024;
/** As many as may wait altogether. */
const MAX_ASKED = 4096;

interface Session {
  readonly http: ClientHttp2Session;
  asked: number;
  /** Whether it ever brought a reply: one that did may have been closed by the other side when it was idle. */
  hasReplied: boolean;
  /** Lets go of it when nothing is heard for so long. */
  keepFor(ms: number): void;
}

/** The HTTP/2 session with one upstream (RFC 8484): opened when it is needed, kept for a while, each question a request. */
export function createHttps(upstream: Upstream, counters: ForwardCounters, timers: Timers): Stream {
  const kept = createReused(open);

  return {
    async ask(question, signal) {
      // One that was told to go away, or is just closing.
      if (kept.current?.http.closed) kept.letGo(kept.current);
      return kept.use(async (session) => askOn(session, question, signal), signal);
    },
    [Symbol.dispose]: () => kept.current?.http.destroy(),
  };

  function open(): Session {
    const http = openHttp(upstream);
    let disarm = nothing;
    const session: Session = {
      http,
      asked: 0,
      hasReplied: false,
      keepFor(ms) {
        disarm();
        disarm = timers.after(ms, () => http.destroy(failure("it said nothing for too long")));
      },
    };
    http.on("error", () => kept.letGo(session)); // each request hears of it as well
    http.on("close", () => {
      disarm();
      kept.letGo(session);
    });
    return session;
  }

  async function askOn(session: Session, question: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    if (session.asked === MAX_ASKED) throw failure("too many questions wait for it");
    if (session.asked === 0) session.keepFor(SILENT_MS);
    session.asked += 1;
    const reply = await request(session, question, signal).finally(() => {
      session.asked -= 1;
    });
    session.hasReplied = true;
    session.keepFor(session.asked > 0 ? SILENT_MS : IDLE_MS);
    if (matchReply(reply, question) === "reply") return reply;
    counters.strays += 1;
    throw failure("its reply is to another question");
  }

  /** RFC 8484 section 4.1: the id stays 0, since the request says whose the reply is. */
  async function request({ http }: Session, question: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const stream = http.request({
        ":method": "POST",
        ":path": upstream.path,
        accept: MESSAGE_TYPE,
        "content-type": MESSAGE_TYPE,
        "content-length": question.length,
      });
      const fail = (reason: unknown): void => {
        signal.removeEventListener("abort", abort);
        reject(reason);
        stream.close(constants.NGHTTP2_CANCEL);
      };
      const abort = (): void => fail(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      const chunks: Buffer[] = [];
      let octets = 0;
      stream.on("response", ({ ":status": status, "content-type": type }) => {
        if (status !== 200) fail(failure(`it replied with HTTP ${status}`));
        else if (type !== MESSAGE_TYPE) fail(failure("its reply is no DNS message"));
      });
      stream.on("data", (chunk: Buffer) => {
        octets += chunk.length;
        if (octets > MAX_MESSAGE_OCTETS) fail(failure("its reply is too long"));
        else chunks.push(chunk);
      });
      stream.on("error", fail);
      stream.on("close", () => fail(failure("the connection was closed")));
      stream.on("end", () => {
        if (stream.aborted) return;
        signal.removeEventListener("abort", abort);
        resolve(Buffer.concat(chunks));
      });
      stream.end(question);
    });
  }
}

/** RFC 8310 section 8.1: without a name, the certificate must be for the address. */
function openHttp({ address, port, serverName }: Upstream): ClientHttp2Session {
  const host = formatAddress(address);
  const servername = serverName ?? host;
  return connect(`https://${formatEndpoint(servername, port)}`, {
    host,
    // RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted" as SNI.
    servername: isIP(servername) === 0 ? servername : "",
    settings: { enablePush: false, maxHeaderListSize: MAX_HEADER_OCTETS },
  });
}

function failure(why: string): RotaError {
  return new RotaError("ERR_ROTA_FORWARD", why);
}

function nothing(): void {}
