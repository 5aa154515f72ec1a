import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { RotaError } from "../../base/error.ts";
import type { Book } from "../ready/book.ts";
import type { ClientKey, Mail } from "../ready/mail.ts";
import type { Shared } from "../ready/shared.ts";
import { type Asker, createMemory, SLOTS } from "./memory.ts";
import { createReadiness } from "./readiness.ts";
import { ERRNO, MSG_DONTWAIT, MSG_WAITFORONE, openSystem, type System, systemError } from "./system.ts";
import { COUNT, WORD } from "./words.ts";

/** What a lane is given at its start. */
export interface LaneStart {
  /** Its sockets, which are the main thread's to close. */
  readonly fds: readonly number[];
  readonly words: Int32Array<SharedArrayBuffer>;
  readonly counts: Float64Array<SharedArrayBuffer>;
  readonly shared: Shared;
}

/** A query that somebody who has the registry must answer. */
export interface Detour {
  readonly fd: number;
  readonly query: Uint8Array;
  readonly asker: Asker;
  /** By what the lane's book knows who asks; undefined: it knows already what that one sees. */
  readonly key: ClientKey | undefined;
}

/** What a lane tells the main thread. */
export type LaneMessage =
  | { readonly kind: "ready" }
  /** The batch is over that somebody waited for. */
  | { readonly kind: "moved" }
  | { readonly kind: "detours"; readonly detours: readonly Detour[] };

/** How many detours of a lane may wait for the main thread. */
export const MAX_DETOURS = 1024;

/** Answers until it is told to stop. To be run in a thread of its own, which it blocks: nothing else happens in it. */
export async function runLane(createBook: (shared: Shared) => Book): Promise<void> {
  const start: LaneStart = workerData;
  const offer = await openSystem();
  if (offer.kind === "missing") throw new RotaError("ERR_ROTA_LISTEN", `no lane can run: ${offer.because}`);
  serve(offer.system, start, createBook(start.shared));
}

function serve(system: System, { fds, words, counts }: LaneStart, book: Book): void {
  const memory = createMemory(system);
  const { queries, replies } = memory;
  const [only = -1] = fds;
  const readiness = fds.length > 1 ? createReadiness(system, fds) : undefined;
  let seenMail = 0;
  let detours: Detour[] = [];

  post({ kind: "ready" });
  while (!isStopped()) {
    if (readiness === undefined) {
      answerBatch(only, MSG_WAITFORONE);
      continue;
    }
    const ready = readiness.wait();
    for (const fd of ready) answerBatch(fd, MSG_DONTWAIT);
    if (ready.length === 0) work(only, 0);
  }

  function answerBatch(fd: number, flags: number): void {
    const came = system.recvmmsg(fd, memory.received, SLOTS, flags, 0);
    work(fd, came < 0 ? noneAfter("recvmmsg", system.errno()) : came);
  }

  /** Also after a second without a query: no mail waits for long. */
  function work(fd: number, came: number): void {
    // What woke it up may be the end, which reads like a batch of empty datagrams.
    if (isStopped()) return;
    // Odd before anything is looked at: whoever sees it even after a change knows that the next batch sees the change.
    Atomics.add(words, WORD.batch, 1);
    takeMail();
    send(fd, answer(fd, came));
    if (detours.length > 0) {
      post({ kind: "detours", detours });
      detours = [];
    }
    memory.clear(came);
    count(COUNT.batches);
    Atomics.add(words, WORD.batch, 1);
    if (Atomics.load(words, WORD.awaited) === 1 && Atomics.exchange(words, WORD.awaited, 0) === 1)
      post({ kind: "moved" });
  }

  function answer(fd: number, came: number): number {
    let given = 0;
    for (let slot = 0; slot < came; slot++) {
      const length = memory.lengthOf(slot);
      const query = queries[slot];
      const reply = replies[given];
      if (length === 0 || query === undefined || reply === undefined) {
        count(COUNT.ignored);
        continue;
      }
      const client = memory.clientOf(slot);
      const octets = book.reply(query, length, client, reply);
      if (octets === 0) {
        detour(fd, slot, query.subarray(0, length), client);
        continue;
      }
      memory.address(given, slot, octets);
      given += 1;
      // RFC 1035 section 4.1.1: TC is bit 6 of the third octet, and the rcode is the last four of the fourth.
      if (((reply[2] ?? 0) & 0x02) !== 0) count(COUNT.truncated);
      count(COUNT.replies + ((reply[3] ?? 0) & 0x0f));
    }
    return given;
  }

  function detour(fd: number, slot: number, query: Uint8Array, client: ClientKey): void {
    // Whoever asks for what is not known faster than it can be told must not fill the memory: it asks again.
    if (Atomics.load(words, WORD.detours) >= MAX_DETOURS) {
      count(COUNT.dropped);
      return;
    }
    Atomics.add(words, WORD.detours, 1);
    count(COUNT.detours);
    const key = book.knows(client) ? undefined : client;
    detours.push({ fd, query: query.slice(), asker: memory.askerOf(slot), key });
  }

  function send(fd: number, given: number): void {
    let sent = 0;
    while (sent < given) {
      // Not waited for: a neighbour that is not there would keep all others waiting.
      const now = system.sendmmsg(fd, memory.sent(sent), given - sent, MSG_DONTWAIT);
      if (now > 0) {
        sent += now;
        continue;
      }
      if (system.errno() === ERRNO.EINTR) continue;
      // The first of them could not be sent, as to port 0: sendmmsg(2) says so only of the first.
      count(COUNT.unsent);
      sent += 1;
    }
  }

  /** One load while there is none. */
  function takeMail(): void {
    const mail = Atomics.load(words, WORD.mail);
    if (mail === seenMail || parentPort === null) return;
    seenMail = mail;
    for (let came = receiveMessageOnPort(parentPort); came; came = receiveMessageOnPort(parentPort)) {
      const letters: readonly Mail[] = came.message;
      for (const letter of letters) book.take(letter);
    }
  }

  function isStopped(): boolean {
    return Atomics.load(words, WORD.stop) === 1;
  }

  function count(what: number): void {
    counts[what] = (counts[what] ?? 0) + 1;
  }
}

/** How many came where the system says that it did not go well: none, if it is only the second that is over. */
function noneAfter(call: string, errno: number): number {
  if (errno === ERRNO.EINTR || errno === ERRNO.EAGAIN) return 0;
  throw systemError(call, errno);
}

function post(message: LaneMessage): void {
  parentPort?.postMessage(message, []);
}
