import { parseType } from "../../../src/model/mnemonics.ts";
import { parseAddress } from "../../../src/model/address.ts";
import { readReply } from "../../../src/ask/reply.ts";
import { type AskedOpt, join, message, nameOctets, optRecord, pairs, question } from "../../wire/query.ts";

/** Makes upstreams' replies of lines as dig prints them, and lines of replies. */

export interface ReplyExtras {
  /** @default none */
  readonly opt?: AskedOpt;
  /** Octets to stand behind all records, counted as additional records. @default none */
  readonly behind?: readonly Uint8Array[];
}

const FLAGS: Readonly<Record<string, number>> = {
  aa: 0x0400,
  tc: 0x0200,
  rd: 0x0100,
  ra: 0x0080,
  ad: 0x0020,
  cd: 0x0010,
};
const RCODES = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"];
const SECTIONS = ["", "authority:", "additional:"];

/**
 * The reply to `www.example A` that says `NXDOMAIN aa`, `www.example 300 A 192.0.2.1`, `authority: example 300 SOA 60`.
 * Of an SOA only the minimum is told. An owner that is the question's name is written as a pointer to it.
 */
export function reply(asked: string, lines: readonly string[], extras: ReplyExtras = {}): Uint8Array {
  const { opt, behind = [] } = extras;
  const [name = "", type = "A"] = asked.split(" ");
  const [head = "NOERROR", ...rest] = lines;
  const [rcode = "", ...flags] = head.split(" ");
  const records = SECTIONS.map((section) =>
    rest
      .filter((line) => sectionOf(line) === section)
      .map((line) => recordOf(line.slice(section.length).trim(), name)),
  );
  const [answers = [], authority = [], additionals = []] = records;
  const others = [...additionals, ...(opt ? [optRecord(opt)] : []), ...behind];
  return message({
    flags: flags.reduce((sum, flag) => sum | (FLAGS[flag] ?? 0), 0x8000) | RCODES.indexOf(rcode),
    counts: [1, answers.length, authority.length, others.length],
    parts: [question(name, parseType(type)), ...answers, ...authority, ...others],
  });
}

/** What a reply says, in the lines that {@link reply} takes, with what OPT says at the end of the first. */
export function told(octets: Uint8Array | undefined): string[] {
  if (!octets) return ["nothing"];
  const { rcode, flags, answers, authority, additionals, edns } = readReply(Buffer.from(octets));
  const line = ({ name, ttl, type, data }: (typeof answers)[number]): string =>
    `${name.replace(/\.$/, "")} ${ttl} ${type} ${type === "SOA" ? data.split(" ").at(-1) : data.replace(/\.$/, "")}`;
  const opt = edns ? ["edns", edns.udpSize, ...(edns.dnssecOk ? ["do"] : [])] : [];
  const errors = edns?.extendedErrors.map(({ code, name }) => `ede ${code} ${name}`) ?? [];
  return [
    [rcode.name, ...flags.filter((flag) => flag !== "qr"), ...opt, ...errors].join(" "),
    ...answers.map(line),
    ...authority.map((record) => `authority: ${line(record)}`),
    ...additionals.map((record) => `additional: ${line(record)}`),
  ];
}

/** A record with a TTL; the owner as octets. */
export function timed(owner: Uint8Array, ttl: number, type: number, rdata: Uint8Array): Uint8Array {
  return join(owner, pairs(type, 1, Math.floor(ttl / 0x1_0000), ttl & 0xffff, rdata.length), rdata);
}

function sectionOf(line: string): string {
  return SECTIONS.find((section) => section !== "" && line.startsWith(section)) ?? "";
}

function recordOf(line: string, asked: string): Uint8Array {
  const [owner = "", ttl = "", type = "", data = ""] = line.split(" ");
  const name = owner === asked ? pairs(0xc00c) : nameOctets(owner);
  return timed(name, Number(ttl), parseType(type), rdataOf(type, data));
}

function rdataOf(type: string, data: string): Uint8Array {
  switch (type) {
    case "A":
    case "AAAA":
      return Buffer.from(parseAddress(data), "latin1");
    case "CNAME":
    case "NS":
      return nameOctets(data);
    case "SOA":
      return join(
        nameOctets("ns"),
        nameOctets("root"),
        pairs(0, 1, 0, 2, 0, 3, 0, 4),
        pairs(...split(Number(data))),
      );
    default:
      return Buffer.from(data, "hex");
  }
}

function split(value: number): [number, number] {
  return [Math.floor(value / 0x1_0000), value & 0xffff];
}
