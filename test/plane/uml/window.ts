import { createInterface } from "node:readline";
import { PassThrough, type Readable, Writable } from "node:stream";

/**
 * How many octets may be on their way to a console unread. Its line discipline holds 4,096, and short of that it asks
 * user-mode-linux to stop reading, which never begins again (6.1: `line_throttle` takes the descriptor out of the
 * epoll set, `line_unthrottle` does not put it back).
 */
export const WINDOW = 2_048;

/** What stands in front of a line that tells how many octets were read. */
const READ = "~";

export interface Console {
  readonly input: Writable;
  readonly output: Readable;
}

/** A console of any length of line, over one whose other side tells what it has read. */
export function createWindow(to: Writable, from: Readable): Console {
  const output = new PassThrough();
  let isOpen = true;
  let unread = 0;
  let waiting: (() => void) | undefined;
  const wake = (): void => {
    const go = waiting;
    waiting = undefined;
    go?.();
  };

  createInterface({ input: from })
    .on("line", (line) => {
      if (!line.startsWith(READ)) {
        output.write(`${line}\n`);
        return;
      }
      unread -= Number(line.slice(READ.length));
      wake();
    })
    .once("close", () => {
      isOpen = false;
      output.end();
      wake();
    });
  to.on("error", () => {}); // whoever is gone has closed its output as well

  const input = new Writable({
    write(octets: Buffer, _, done) {
      let at = 0;
      const send = (): void => {
        const part = octets.subarray(at, at + WINDOW - unread);
        at += part.length;
        unread += part.length;
        to.write(part);
        if (isOpen && at < octets.length) waiting = send;
        else done();
      };
      send();
    },
    final(done) {
      to.end(done);
    },
  });
  return { input, output };
}
