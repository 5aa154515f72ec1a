import { type IncomingMessage, request, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { RotaError } from "../base/error.ts";
import type { Match } from "../model/check.ts";
import { untilEnd } from "./attempt.ts";
import { openConnection, type Remote } from "./connect.ts";
import { createExcerpt, formatMatch, formatSaid } from "./excerpt.ts";
import type { Hop } from "./redirect.ts";

/** What a server said to one request, as far as anybody wanted to know. */
export interface Answer {
  readonly status: number;
  /** The server's own words for it. */
  readonly phrase: string;
  /** An octet a character. */
  readonly location: string | undefined;
  /** What was sought in its body and is not there, for people. */
  readonly lacks: string | undefined;
}

const MAX_HEADER_OCTETS = 16 * 1024;
/** For all that Node's parser would take for ever: interim answers (RFC 9110 section 15.2), empty lines, tiny chunks. */
const MAX_OCTETS = 256 * 1024;

/**
 * One request over one connection, which is closed as soon as enough was heard: the headers, and of the body what
 * it takes to find what is sought there.
 *
 * @param seek tells what is sought, once the rest is known; nothing: the body is not read.
 */
export function askHttp(
  hop: Hop,
  headers: readonly string[],
  remote: Remote,
  seek: (answer: Answer) => Match | undefined,
  signal: AbortSignal,
  stage: (doing: string) => void,
): Promise<Answer> {
  let socket: Socket | undefined;
  return untilEnd(
    signal,
    () => socket?.destroy(),
    ({ end, fail }) => {
      let octetsHeard = 0;
      // No agent, as Node would make one for each request, and no time-out but the signal.
      const asked = request({
        method: hop.method,
        path: hop.path,
        headers,
        maxHeaderSize: MAX_HEADER_OCTETS,
        createConnection: () => {
          socket = openConnection(remote, stage, () => stage("waiting for the answer"));
          return socket.on("data", count);
        },
      });
      asked.on("error", fail);
      asked.on("response", hear);
      asked.on("upgrade", hear); // 101: there is no other answer to come
      asked.end();

      function count(octets: Buffer): void {
        octetsHeard += octets.length;
        if (octetsHeard > MAX_OCTETS) fail(new RotaError("ERR_ROTA_ASK", "no end of its answer in 256 KiB"));
      }

      function hear(response: IncomingMessage): void {
        const answer = answerOf(response);
        const match = seek(answer);
        if (!match) return end(answer);
        stage("reading the body");
        readBody(response, match, (lacks) => end({ ...answer, lacks }), fail);
      }
    },
  );
}

function answerOf({ statusCode = 0, statusMessage, headers }: IncomingMessage): Answer {
  const phrase = statusMessage || (STATUS_CODES[statusCode] ?? "");
  return { status: statusCode, phrase, location: headers.location, lacks: undefined };
}

/** Calls `done` with what the body lacks: nothing, as soon as what is sought is there. */
function readBody(
  response: IncomingMessage,
  match: Match,
  done: (lacks: string | undefined) => void,
  fail: (error: Error) => void,
): void {
  const heard = createExcerpt(match, "body");
  let isLookAsked = false;
  response.on("error", fail);
  response.on("data", (octets: Buffer) => {
    heard.add(octets);
    if (isLookAsked) return;
    isLookAsked = true;
    // One look for all chunks of one read, as there may be ten thousand. Not in the next turn, which on a time-out is too late.
    process.nextTick(look);
  });
  response.on("end", () => finish("its body"));

  function look(): void {
    isLookAsked = false;
    if (heard.look()) return done(undefined);
    if (heard.isTooFine) return fail(new RotaError("ERR_ROTA_ASK", "its body comes in too small pieces"));
    if (heard.isFull) finish("the first 64 KiB of its body");
  }

  function finish(whole: string): void {
    done(heard.isFound() ? undefined : `${formatMatch(match)} in ${whole}: ${formatSaid(heard)}`);
  }
}
