import {
  type Asker,
  CONTROL_OCTETS,
  MESSAGE,
  MESSAGE_OCTETS,
  NAME_OCTETS,
  point,
  VECTOR_OCTETS,
} from "./memory.ts";
import { MSG_DONTWAIT, type System } from "./system.ts";

/** Sends single replies by a lane's socket, for who is not that lane. */
export interface Envelope {
  /** False: the system would not. It is not waited for. */
  send(fd: number, reply: Uint8Array, asker: Asker): boolean;
}

/** What a UDP datagram can have at most. */
const MAX_OCTETS = 65_507;

export function createEnvelope(system: System): Envelope {
  const vector = MESSAGE_OCTETS;
  const name = vector + VECTOR_OCTETS;
  const control = name + 32;
  const reply = control + CONTROL_OCTETS;
  const block = new ArrayBuffer(reply + MAX_OCTETS + 1);
  const base = system.addressOf(block);
  const words = new Uint32Array(block, 0, reply / 4);
  const octets = new Uint8Array(block);
  point(words, MESSAGE.name, base + name);
  point(words, MESSAGE.vector, base + vector);
  words[MESSAGE.vectors] = 1;
  point(words, vector / 4, base + reply);

  return {
    send(fd, given, asker) {
      const { length } = given;
      if (length > MAX_OCTETS || asker.name.length > NAME_OCTETS || asker.control.length > CONTROL_OCTETS)
        return false;
      octets.set(asker.name, name);
      octets.set(asker.control, control);
      octets.set(given, reply);
      words[MESSAGE.nameLength] = asker.name.length;
      point(words, MESSAGE.control, asker.control.length === 0 ? 0 : base + control);
      words[MESSAGE.controlLength] = asker.control.length;
      words[vector / 4 + 2] = length;
      return system.sendmsg(fd, base, MSG_DONTWAIT) >= 0;
    },
  };
}
