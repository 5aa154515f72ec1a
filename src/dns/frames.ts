/** Cuts a TCP stream into messages: two octets of length, then as many. RFC 1035 section 4.2.2. */
export interface Frames {
  push(octets: Uint8Array): void;
  /** The next whole message, if it has arrived. */
  shift(): Uint8Array | undefined;
}

export function createFrames(): Frames {
  // A message split over many segments is joined once, when it is whole, and not again at each of them.
  let chunks: Uint8Array[] = [];
  let held = 0;

  return {
    push(octets) {
      chunks.push(octets);
      held += octets.length;
    },
    shift() {
      const length = peekLength();
      if (length === undefined || held < 2 + length) return undefined;
      const joined = join();
      keep(joined.subarray(2 + length));
      return joined.subarray(2, 2 + length);
    },
  };

  function peekLength(): number | undefined {
    if (held < 2) return undefined;
    const [first] = chunks;
    const head = first && first.length >= 2 ? first : join();
    return ((head[0] ?? 0) << 8) | (head[1] ?? 0);
  }

  function join(): Uint8Array {
    const [first] = chunks;
    const joined = first && chunks.length === 1 ? first : Buffer.concat(chunks);
    keep(joined);
    return joined;
  }

  function keep(rest: Uint8Array): void {
    chunks = rest.length > 0 ? [rest] : [];
    held = rest.length;
  }
}
