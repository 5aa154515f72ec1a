import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { RotaError } from "../base/error.ts";

/**
 * A socket that stands, as a stream through which no more than `maxOctets` come: then both break with an error.
 *
 * It is for http2, which reads a socket of its own beneath JavaScript: no event tells of most frames, and a flood of
 * them leaves no time for anything else.
 */
export function createCounted(socket: Socket, maxOctets: number): Duplex {
  let octets = 0;
  const stream = new Duplex({
    read: () => void socket.resume(),
    // What http2 writes together leaves together: in pieces, a probe costs twice as much.
    writev: (chunks, done) => void socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), done),
    final: (done) => void socket.end(done),
    destroy(error, done) {
      socket.destroy(error ?? undefined);
      done(error);
    },
  });
  socket.on("data", (chunk: Buffer) => {
    octets += chunk.length;
    if (octets > maxOctets) stream.destroy(tooMuch(maxOctets));
    else if (!stream.push(chunk)) socket.pause();
  });
  socket.on("end", () => stream.push(null));
  socket.on("error", (error) => stream.destroy(error));
  socket.on("close", () => stream.destroy());
  return stream;
}

function tooMuch(maxOctets: number): RotaError {
  return new RotaError("ERR_ROTA_ASK", `it sent over ${maxOctets / 1024} KiB without an answer`);
}
