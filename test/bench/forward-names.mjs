/** What a liar says. */
export const WRONG = Buffer.from([198, 51, 100, 7]);

const HEADER_OCTETS = 12;

/** Where the question's name ends, in front of its type and class. */
export function nameEndIn(query) {
  let end = HEADER_OCTETS;
  while (query[end] > 0) end += 1 + query[end];
  return end + 1;
}

/** The number in the name that is asked for, `n513.example`; undefined: another name. */
export function numberIn(query) {
  const labelEnd = HEADER_OCTETS + 1 + query[HEADER_OCTETS];
  const label = query.toString("latin1", HEADER_OCTETS + 1, labelEnd);
  const isOurs =
    query.toString("latin1", labelEnd, nameEndIn(query)) === "\x07example\0" && /^n\d+$/.test(label);
  return isOurs ? Number(label.slice(1)) : undefined;
}

/** The one right address of `n513.example`, 10.0.2.1, whoever is asked. */
export function rightOctets(number) {
  return Buffer.from([10, ...octetsOf(number)]);
}

export function rightText(number) {
  return rightOctets(number).join(".");
}

/** A query for `n513.example A` as dig sends it, without EDNS. */
export function queryFor(number, id) {
  const label = `n${number}`;
  const query = Buffer.from(`\0\0\x01\0\0\x01\0\0\0\0\0\0?${label}\x07example\0\0\x01\0\x01`, "latin1");
  query.writeUInt16BE(id, 0);
  query[12] = label.length;
  return query;
}

function octetsOf(number) {
  return [number >> 16, (number >> 8) & 255, number & 255];
}
