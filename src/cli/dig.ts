import type { Reply } from "../ask/ask.ts";
import type { ExtendedError, ReplyEdns, ReplyRecord } from "../ask/reply.ts";

/** Where dig has TTL, class, type and data; a longer name moves them to the right, all alike. */
const TTL_COLUMN = 24;
const TAB = 8;

/** A reply as dig prints it, without the lines that differ from run to run for no use. */
export function formatReply(reply: Reply): string {
  const records = [...reply.answers, ...reply.authority, ...reply.additionals];
  const column = ttlColumnOf(records.map(({ name }) => name));
  const questions = reply.question === undefined ? [] : [reply.question];
  return [
    ...(reply.isRetried ? [";; Truncated, retrying in TCP mode."] : []),
    ";; Got answer:",
    `;; ->>HEADER<<- opcode: QUERY, status: ${reply.rcode.name}, id: ${reply.id}`,
    `;; flags: ${reply.flags.join(" ")}; ${formatCounts(reply)}`,
    "",
    ...(reply.edns === undefined ? [] : [";; OPT PSEUDOSECTION:", ...formatEdns(reply.edns)]),
    ...formatSection(
      "QUESTION",
      questions.map(({ name, ...rest }) => pad(`;${name}`, column + TAB) + `${rest.class}\t${rest.type}`),
    ),
    ...formatSection(
      "ANSWER",
      reply.answers.map((record) => formatRecord(record, column)),
    ),
    ...formatSection(
      "AUTHORITY",
      reply.authority.map((record) => formatRecord(record, column)),
    ),
    ...formatSection(
      "ADDITIONAL",
      reply.additionals.map((record) => formatRecord(record, column)),
    ),
    `;; Query time: ${Math.round(reply.elapsedMs)} msec`,
    `;; SERVER: ${reply.server}`,
    `;; MSG SIZE  rcvd: ${reply.octets}`,
    "",
  ].join("\n");
}

function formatCounts(reply: Reply): string {
  const questions = reply.question === undefined ? 0 : 1;
  const additionals = reply.additionals.length + (reply.edns === undefined ? 0 : 1);
  return `QUERY: ${questions}, ANSWER: ${reply.answers.length}, AUTHORITY: ${reply.authority.length}, ADDITIONAL: ${additionals}`;
}

function formatSection(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`;; ${title} SECTION:`, ...lines, ""];
}

function formatRecord(record: ReplyRecord, column: number): string {
  return `${pad(record.name, column)}${record.ttl}\t${record.class}\t${record.type}\t${record.data}`;
}

function formatEdns(edns: ReplyEdns): string[] {
  const flags = edns.dnssecOk ? " do" : "";
  return [
    `; EDNS: version: ${edns.version}, flags:${flags}; udp: ${edns.udpSize}`,
    ...edns.extendedErrors.map(formatExtendedError),
  ];
}

function formatExtendedError(error: ExtendedError): string {
  // The text is the server's: it must not move the cursor of whoever reads it.
  const text = error.text.replaceAll(/\p{Cc}/gu, " ");
  const name = error.name === "" ? "" : ` (${error.name})`;
  return `; EDE: ${error.code}${name}${text === "" ? "" : `: (${text})`}`;
}

function ttlColumnOf(names: readonly string[]): number {
  const longest = Math.max(TTL_COLUMN - 1, ...names.map((name) => name.length));
  return (Math.floor(longest / TAB) + 1) * TAB;
}

/** Fills up with tabs; one at least. */
function pad(text: string, column: number): string {
  return text + "\t".repeat(Math.max(1, Math.ceil((column - text.length) / TAB)));
}
