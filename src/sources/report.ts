/** Where something stands in a file, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What is wrong, or odd, somewhere in a text. */
export interface Placed {
  /** Undefined: the text as a whole. */
  readonly position: Position | undefined;
  /** One line, without the place. */
  readonly message: string;
}

/** What is wrong, or odd, in a file. */
export interface Finding extends Placed {
  readonly file: string;
}

/**
 * What a source has to say, for the log. `message` is one line for people with the place in it.
 *
 * `read`: the file counts as it is now. `problem`: it does not, and what it said before stays.
 * `recovered`: what was told of it before is over. `gone`: it is not there, and `message` says what becomes of what it said.
 * `warning`: it counts, but not all of it does what one may think.
 */
export interface SourceReport {
  readonly kind: "read" | "problem" | "recovered" | "gone" | "warning";
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

/** So much is told of one file at once: who mends twenty mistakes reads on afterwards. */
const MAX_TOLD = 20;

/** `services.yaml:3:5: services.web.ttl: "5 sec" is not a duration: write it as 5s, 1m30s or 500ms` */
export function formatFinding({ file, position, message }: Finding): string {
  return `${formatPlace(file, position)}: ${message}`;
}

/** `services.yaml:3:5`, which editors and terminals know how to open. */
export function formatPlace(file: string, position: Position | undefined): string {
  return position === undefined ? file : `${file}:${position.line}:${position.column}`;
}

/** All that is wrong, in one line. */
export function formatFindings(findings: readonly Finding[]): string {
  const rest = findings.length > MAX_TOLD ? [moreThan(findings)] : [];
  return [...findings.slice(0, MAX_TOLD).map(formatFinding), ...rest].join("; ");
}

/** A report for each finding, as far as they are told. */
export function reportsOf(
  kind: SourceReport["kind"],
  findings: readonly Finding[],
  after = "",
): SourceReport[] {
  const reports = findings.slice(0, MAX_TOLD).map((finding) => reportOf(kind, finding, after));
  const [first] = findings;
  if (first === undefined || findings.length <= MAX_TOLD) return reports;
  const rest = { file: first.file, position: undefined, message: moreThan(findings) };
  return [...reports, reportOf(kind, rest, after)];
}

export function reportOf(kind: SourceReport["kind"], finding: Finding, after = ""): SourceReport {
  const message = `${formatFinding(finding)}${after}`;
  return { kind, file: finding.file, ...finding.position, message };
}

function moreThan(findings: readonly Finding[]): string {
  return `and ${findings.length - MAX_TOLD} more`;
}
