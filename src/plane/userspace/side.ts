import type { Server } from "node:net";
import type { Ends } from "./proxy-header.ts";

/** One side of a flow: the connection of a client, or that to a task. No more of it than carrying needs. */
export interface Side {
  /** Whether it has been closed, by whomever. */
  readonly isClosed: boolean;
  /** Reads, or reads on; nothing is read of a side before. */
  read(): void;
  /** False: some of it waits, and {@link Ears.drained} follows. The octets must not change any more. */
  write(octets: Buffer): boolean;
  /** Says, behind what waits, that nothing more will come. */
  end(): void;
  /** Closes it behind what waits. Both sides have said all. */
  finish(): void;
  /** Closes it, with what waits. */
  close(): void;
  /** Closes it so that the other end cannot take it for a good end, if that is possible. */
  reset(): void;
  /** From now on nothing that is written waits for what was written before to arrive. */
  setNoDelay(): void;
  /** Has the kernel find out whether the other end is still there, once it has been silent for so long. */
  setKeepAlive(ms: number): void;
  /** Undefined: it is gone, and nobody can say any more whose it was. */
  ends(): Ends | undefined;
}

/** What is heard of a side. */
export interface Ears {
  /** It stands; only of one that was called. */
  joined(): void;
  /** False: nothing more is read, until {@link Side.read}. The octets are whose who hears them. */
  heard(octets: Buffer): boolean;
  /** The other end has said all. */
  ended(): void;
  /** Nothing that was written waits any more. */
  drained(): void;
  /** It is closed: the last that is heard, and never heard before who closes it has returned. */
  gone(): void;
}

/** How sides come about. */
export interface Carrier {
  /** @param take is given each client of a server that listens; it opens the side, or the client stays as it is */
  accept(server: Server, take: (open: (ears: Ears) => Side) => void): void;
  /** @param host an IP address */
  call(host: string, port: number, ears: Ears): Side;
}
