import { messageOf, RotaError } from "../base/error.ts";
import { type Address, formatAddress, parseAddress } from "../model/address.ts";
import { decode } from "./decode.ts";
import type { FileLimit, Look } from "./files.ts";
import { type FileWatch, followFiles } from "./follow.ts";
import { type Finding, reportOf, type SourceReport } from "./report.ts";

const LIMIT: FileLimit = { octets: 64 * 1024, remedy: "it is no resolv.conf" };
/** More than any resolver asks: glibc and musl take three (resolv.conf(5)). */
const MAX_NAME_SERVERS = 16;

export interface WatchResolvConfOptions {
  /**
   * Ask again and again, where the system tells of no changes.
   * @default false
   */
  readonly poll?: boolean | undefined;
  /** Takes all name servers that the file names, in its order. */
  readonly publish: (nameServers: readonly Address[]) => void;
  readonly report: (report: SourceReport) => void;
}

/**
 * Publishes the name servers of a resolv.conf, and again whenever they change; resolves after the first time. While
 * the file is not there, cannot be read or names nobody, those that it named before stay, and `report` hears why.
 */
export async function watchResolvConf(
  file: string,
  { poll = false, publish, report }: WatchResolvConfOptions,
  signal: AbortSignal,
): Promise<FileWatch> {
  let published = "";
  let told = "";

  const list = async (): Promise<readonly string[]> => [file];
  return followFiles({ paths: [file], poll, limit: LIMIT, list, open: update, update, report }, signal);

  async function update([look]: readonly Look[]): Promise<void> {
    const { nameServers, problems } = read(look ?? { kind: "missing", file });
    tell(problems, nameServers.length === 0);
    const names = nameServers.map(formatAddress).join(", ");
    if (names === "" || names === published) return;
    published = names;
    publish(nameServers);
    report(reportOf("read", { file, position: undefined, message: `read: name servers ${names}` }));
  }

  /** Once, however often the file is looked at. */
  function tell(problems: readonly Finding[], isFatal: boolean): void {
    const now = JSON.stringify(problems);
    if (now === told) return;
    told = now;
    const after = isFatal && published !== "" ? `; still asking ${published}` : "";
    for (const problem of problems) report(reportOf(isFatal ? "problem" : "warning", problem, after));
  }
}

interface Reading {
  readonly nameServers: readonly Address[];
  readonly problems: readonly Finding[];
}

function read(look: Look): Reading {
  const { file } = look;
  const nobody = (message: string): Reading => ({
    nameServers: [],
    problems: [{ file, position: undefined, message }],
  });
  if (look.kind === "missing") return nobody("is not there: no name server is known from it");
  if (look.kind === "unreadable") return nobody(look.message);
  const text = decode(look.octets);
  if (typeof text !== "string") return nobody(text.message);
  const reading = readNameServers(file, text);
  return reading.nameServers.length + reading.problems.length > 0 ? reading : nobody("names no name server");
}

/** resolv.conf(5): `nameserver` stands at a line's beginning, its address behind it. Other lines are not for us. */
function readNameServers(file: string, text: string): Reading {
  const found = new Set<Address>();
  const problems: Finding[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [, address] = /^nameserver[ \t]+([^\s#;]+)/.exec(line) ?? [];
    if (address === undefined || found.size === MAX_NAME_SERVERS) continue;
    try {
      found.add(parseAddress(address));
    } catch (error) {
      if (!(error instanceof RotaError)) throw error;
      const position = { line: index + 1, column: line.indexOf(address) + 1 };
      problems.push({ file, position, message: `${messageOf(error)}; it is left out` });
    }
  }
  return { nameServers: [...found], problems };
}
