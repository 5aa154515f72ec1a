const TYPE_A = 1;
const CLASS_IN = 1;

/** A query for the addresses of a name, as dig sends it, without EDNS: RFC 1035 section 4.1. */
export function queryFor(name) {
  const labels = [...name.split("."), ""];
  const octets = labels.map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  const header = [4711, 0x0100, 1, 0, 0, 0]; // RD; one question
  return Buffer.concat([words(header), ...octets, words([TYPE_A, CLASS_IN])]);
}

function words(numbers) {
  return Buffer.from(Uint16Array.from(numbers).buffer).swap16();
}
