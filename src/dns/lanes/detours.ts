import { messageOf } from "../../base/error.ts";
import type { Log } from "../../base/log.ts";
import { formatAddress, fromOctets } from "../../model/address.ts";
import type { Tally } from "../counters.ts";
import type { ClientKey, Mail } from "../ready/mail.ts";
import { createEnvelope } from "./envelope.ts";
import type { Detour } from "./lane.ts";
import type { Asker } from "./memory.ts";
import { AF_INET, type System } from "./system.ts";
import { WORD } from "./words.ts";

/**
 * Answers for who has no registry, and says what to tell all of them, so that they know it the next time. As
 * `Respond`, it never throws and never rejects. `client` is the text of an address, `key` what a lane knows it by, if
 * that one is to be told what it sees.
 */
export type Teach = (octets: Uint8Array, client: string, key: ClientKey | undefined) => Lesson;

export interface Lesson {
  /** Undefined where silence is the answer. */
  readonly reply: Uint8Array | undefined | Promise<Uint8Array>;
  readonly mail: readonly Mail[];
}

/** Answers what lanes could not, on their behalf. */
export interface Detours {
  /** `words`: those of the lane. */
  take(detours: readonly Detour[], words: Int32Array<SharedArrayBuffer>): void;
}

interface DetourOptions {
  readonly system: System;
  readonly teach: Teach;
  /** Posts to every lane. */
  readonly post: (mail: readonly Mail[]) => void;
  readonly counters: Tally;
  readonly log: Log;
}

export function createDetours(options: DetourOptions, signal: AbortSignal): Detours {
  const { system, teach, post, counters, log } = options;
  const envelope = createEnvelope(system);

  return {
    take(detours, words) {
      const mail: Mail[] = [];
      for (const detour of detours) {
        mail.push(...answer(detour));
        // A reply that is waited for is bound by who waits: here it is no longer in anybody's way.
        Atomics.sub(words, WORD.detours, 1);
      }
      if (mail.length > 0) post(mail);
    },
  };

  function answer(detour: Detour): readonly Mail[] {
    try {
      const { reply, mail } = teach(detour.query, clientOf(detour.asker), detour.key);
      if (reply instanceof Promise) reply.then((late) => send(late, detour)).catch(tell);
      else if (reply) send(reply, detour);
      return mail;
    } catch (error) {
      tell(error);
      return [];
    }
  }

  function send(reply: Uint8Array, { fd, asker }: Detour): void {
    // Once the lanes have ended, the descriptor is somebody else's.
    if (signal.aborted) return;
    if (!envelope.send(fd, reply, asker)) counters.unsent += 1;
  }

  /** Whoever asks must not be able to end the process, whatever we did wrong. */
  function tell(error: unknown): void {
    counters.defects += 1;
    log.error({ err: error }, `a query could not be answered for a lane: ${messageOf(error)}`);
  }
}

/** The address in a sockaddr. */
function clientOf({ name }: Asker): string {
  const [begin, end] = name[0] === AF_INET ? [4, 8] : [8, 24];
  return formatAddress(fromOctets([...name.subarray(begin, end)]));
}
