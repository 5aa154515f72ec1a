import { StringDecoder } from "node:string_decoder";
import { messageOf, RotaError } from "../../base/error.ts";

const MAX_BODY_OCTETS = 64 * 1024 * 1024;
const MAX_LINE_OCTETS = 1024 * 1024;

/**
 * What a response says, whole, copied into one piece as it comes: kept as they come, a body of a million chunks would
 * take a hundred times its size.
 *
 * @param broken makes an error of why there is none
 */
export async function readBody(
  response: AsyncIterable<Buffer>,
  broken: (why: string) => RotaError,
): Promise<Buffer> {
  let body: Buffer = Buffer.alloc(16 * 1024);
  let length = 0;
  try {
    for await (const chunk of response) {
      const end = length + chunk.length;
      if (end > MAX_BODY_OCTETS) throw broken("its answer is over 64 MiB");
      if (end > body.length) body = enlarged(body, Math.max(end, 2 * body.length));
      chunk.copy(body, length);
      length = end;
    }
  } catch (cause) {
    throw cause instanceof RotaError ? cause : broken(`its answer broke off: ${messageOf(cause)}`);
  }
  return body.subarray(0, length);
}

function enlarged(octets: Buffer, length: number): Buffer {
  const larger = Buffer.alloc(length);
  octets.copy(larger);
  return larger;
}

/** The lines of a response, as they come. Its end, and what is wrong with it, is thrown as what `broken` makes of it. */
export async function* linesOf(
  response: AsyncIterable<Buffer>,
  broken: (why: string) => RotaError,
): AsyncGenerator<string, void> {
  const decoder = new StringDecoder("utf8");
  let line = "";
  let octets = 0;
  try {
    for await (const chunk of response) {
      const [first = "", ...others] = decoder.write(chunk).split("\n");
      line += first;
      octets += chunk.length;
      for (const next of others) {
        octets = Buffer.byteLength(line);
        if (octets > MAX_LINE_OCTETS) break;
        if (line.trim() !== "") yield line;
        line = next;
        octets = Buffer.byteLength(next);
      }
      if (octets > MAX_LINE_OCTETS) throw broken("a line of its answer is over 1 MiB");
    }
  } catch (cause) {
    throw cause instanceof RotaError ? cause : broken(`its answer broke off: ${messageOf(cause)}`);
  }
  throw broken("its answer has ended");
}
