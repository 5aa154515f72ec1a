/** Makes queries, octet by octet and with nothing of `src/wire`, so that a mistake there is not made here too. */

export interface Asked {
  /** Text is split at its dots; labels stand for themselves. */
  readonly name: string | readonly Uint8Array[];
  /** @default 1 (A) */
  readonly type?: number;
  /** @default 1 (IN) */
  readonly class?: number;
  /** @default 0x1234 */
  readonly id?: number;
  /** The header's second pair of octets. @default 0x0100 (RD) */
  readonly flags?: number;
  /** @default no OPT */
  readonly opt?: AskedOpt | undefined;
}

export interface AskedOpt {
  /** @default 0 */
  readonly version?: number;
  /** @default 1232 */
  readonly udpSize?: number;
  /** @default false */
  readonly dnssecOk?: boolean;
  /** @default none */
  readonly options?: readonly (readonly [code: number, value: Uint8Array])[];
}

/** A query with one question. */
export function query(asked: Asked): Uint8Array {
  const { name, type = 1, class: class_ = 1, id = 0x1234, flags = 0x0100, opt } = asked;
  return message({
    id,
    flags,
    counts: [1, 0, 0, opt ? 1 : 0],
    parts: [question(name, type, class_), ...(opt ? [optRecord(opt)] : [])],
  });
}

/** Whatever is wanted behind a header that says whatever is wanted. */
export function message(wanted: {
  readonly id?: number;
  readonly flags?: number;
  readonly counts: readonly [qd: number, an: number, ns: number, ar: number];
  readonly parts: readonly Uint8Array[];
}): Uint8Array {
  const { id = 0x1234, flags = 0, counts, parts } = wanted;
  return join(pairs(id, flags, ...counts), ...parts);
}

export function question(name: Asked["name"], type = 1, class_ = 1): Uint8Array {
  return join(nameOctets(name), pairs(type, class_));
}

/** A record; `owner` as octets, so that it may be wrong. */
export function record(owner: Uint8Array, type: number, rdata: Uint8Array, class_ = 1): Uint8Array {
  return join(owner, pairs(type, class_, 0, 0, rdata.length), rdata);
}

export function optRecord(opt: AskedOpt, owner: Uint8Array = Uint8Array.of(0)): Uint8Array {
  const { version = 0, udpSize = 1232, dnssecOk = false, options = [] } = opt;
  const rdata = join(...options.map(([code, value]) => join(pairs(code, value.length), value)));
  return join(owner, pairs(41, udpSize, version, dnssecOk ? 0x8000 : 0, rdata.length), rdata);
}

export function nameOctets(name: Asked["name"]): Uint8Array {
  const labels =
    typeof name === "string"
      ? name
          .split(".")
          .filter((label) => label !== "")
          .map((label) => Buffer.from(label))
      : name;
  return join(...labels.map((label) => join(Uint8Array.of(label.length), label)), Uint8Array.of(0));
}

/** A compression pointer. */
export function pointer(offset: number): Uint8Array {
  return pairs(0xc000 | offset);
}

export function pairs(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values.flatMap((value) => [value >> 8, value & 255]));
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
