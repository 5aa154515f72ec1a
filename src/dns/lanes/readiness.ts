import { ERRNO, type System, systemError } from "./system.ts";
import { WAIT_SECONDS } from "./words.ts";

/** Which of several sockets have something to be read. */
export interface Readiness {
  /** Waits until some have, for a second at most; the array is the same one at each call. */
  wait(): readonly number[];
}

/** struct pollfd: the descriptor, 16 bits of what is asked, and 16 of what there is. */
const POLL_OCTETS = 8;
const POLLIN = 1;

export function createReadiness(system: System, fds: readonly number[]): Readiness {
  const block = new ArrayBuffer(POLL_OCTETS * fds.length);
  const base = system.addressOf(block);
  const words = new Int32Array(block);
  const halves = new Int16Array(block);
  const ready: number[] = [];
  for (const [at, fd] of fds.entries()) {
    words[at * 2] = fd;
    halves[at * 4 + 2] = POLLIN;
  }
  return {
    wait() {
      ready.length = 0;
      const came = system.poll(base, fds.length, WAIT_SECONDS * 1000);
      if (came < 0 && system.errno() !== ERRNO.EINTR) throw systemError("poll", system.errno());
      if (came <= 0) return ready;
      for (const [at, fd] of fds.entries()) if (halves[at * 4 + 3] !== 0) ready.push(fd);
      return ready;
    },
  };
}
