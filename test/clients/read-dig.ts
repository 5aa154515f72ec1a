/** A reply as dig, kdig and drill print it, each line of it shorter and the same for all three. */
export interface Printed {
  /** `NOERROR aa rd`: the status and all flags but QR, which every reply has; `MBZ` if a reserved one is set. */
  readonly header: string;
  /** `EDNS: version: 0, flags: do; udp: 1232`, then a line an option; empty if the reply has no OPT record. */
  readonly edns: readonly string[];
  /** `web.rota.internal. 5 A 127.64.0.80`, sorted, since whose turn it is does not matter here. */
  readonly answers: readonly string[];
  readonly authority: readonly string[];
  readonly additionals: readonly string[];
}

export function readDig(text: string): Printed {
  const status = /->>HEADER<<-.*(?:status|rcode): (\w+)/.exec(text)?.[1];
  if (status === undefined) throw new Error(`no reply in: ${text}`);
  const flags = /^;; flags: ?([^;]*);/im.exec(text)?.[1] ?? "";
  const reserved = /^;; flags:.*MBZ/m.test(text) ? ["MBZ"] : [];
  return {
    header: [status, ...flags.split(" ").filter((flag) => flag !== "" && flag !== "qr"), ...reserved].join(
      " ",
    ),
    edns: ednsOf(text),
    answers: sectionOf(text, "ANSWER"),
    authority: sectionOf(text, "AUTHORITY"),
    additionals: sectionOf(text, "ADDITIONAL"),
  };
}

/** The reply as one list: the header, then the records with the section of those that are not answers. */
export function listOf({ header, answers, authority, additionals }: Printed): string[] {
  return [
    header,
    ...answers,
    ...authority.map((record) => `authority: ${record}`),
    ...additionals.map((record) => `additional: ${record}`),
  ];
}

function ednsOf(text: string): string[] {
  const [, section = ""] = /^;; OPT PSEUDOSECTION:\n((?:; .*\n)*)/m.exec(text) ?? [];
  return section
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.slice(2));
}

function sectionOf(text: string, title: string): string[] {
  const [, section = ""] = new RegExp(`^;; ${title} SECTION:\\n((?:[^;\\n].*\\n)*)`, "m").exec(text) ?? [];
  return section
    .split("\n")
    .filter((line) => line !== "")
    .map(shorten)
    .toSorted();
}

function shorten(line: string): string {
  const [name = "", ttl, , type = "", ...rest] = line.split(/\s+/);
  // The serial is another each time; what the rest of an SOA says is of no use to these clients.
  return [name, ttl, type, ...(type === "SOA" ? [] : rest)].join(" ");
}
