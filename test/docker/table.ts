import type { Printed } from "../clients/read-dig.ts";

export interface Row {
  readonly name: string;
  readonly type: string;
  readonly docker: string;
  readonly rota: string;
  readonly note: string;
}

/** A Markdown table; types of a name that are answered alike share a row. */
export function formatTable(rows: readonly Row[]): string {
  const groups = new Map<string, { readonly row: Row; readonly types: string[] }>();
  for (const row of rows) {
    const key = JSON.stringify([row.name, row.docker, row.rota, row.note]);
    const known = groups.get(key);
    if (known) known.types.push(row.type);
    else groups.set(key, { row, types: [row.type] });
  }
  const lines = [...groups.values()].map(({ row, types }) => [
    `\`${row.name}\` ${types.join(" ")}`,
    row.docker,
    row.rota,
    row.note,
  ]);
  const widths = HEAD.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  const written = [HEAD, widths.map((width) => "-".repeat(width)), ...lines].map((line) =>
    line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | "),
  );
  return written.map((line) => `| ${line} |`).join("\n");
}

const HEAD = ["question", "Docker", "Rota", "of Docker's"];

/** `NOERROR ra: 600 VIP of web`: status, flags, then the records. RD, which everybody repeats, is left out. */
export function formatReply(reply: Printed | undefined, say: (text: string) => string): string {
  if (!reply) return "no reply";
  const header = reply.header.replace(" rd", "");
  const records = reply.answers.map((record) => {
    const [, ttl, , ...data] = record.split(" ");
    return `${ttl} ${say(data.join(" "))}`;
  });
  if (records.length > 0) return `${header}: ${records.toSorted().join(", ")}`;
  return reply.authority.length > 0 ? `${header}, SOA` : header;
}
