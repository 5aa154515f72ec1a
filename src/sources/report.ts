/** Where something stands in a file, both counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What is wrong, or odd, in a services file. */
export interface Finding {
  readonly file: string;
  /** Undefined: the file as a whole. */
  readonly position: Position | undefined;
  /** One line, without the place. */
  readonly message: string;
}

/**
 * What a source has to say, for the log. `message` is one line for people with the place in it.
 *
 * `read`: the file counts as it is now. `problem`: it does not, and what it said before stays.
 * `recovered`: what was told of it before is over. `gone`: it is not there any more, and what it said stays.
 * `warning`: it counts, but not all of it does what one may think.
 */
export interface SourceReport {
  readonly kind: "read" | "problem" | "recovered" | "gone" | "warning";
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

/** `services.yaml:3:5: services.web.ttl: "5 sec" is not a duration: write it as 5s, 1m30s or 500ms` */
export function formatFinding({ file, position, message }: Finding): string {
  return `${formatPlace(file, position)}: ${message}`;
}

/** `services.yaml:3:5`, which editors and terminals know how to open. */
export function formatPlace(file: string, position: Position | undefined): string {
  return position === undefined ? file : `${file}:${position.line}:${position.column}`;
}

export function reportOf(kind: SourceReport["kind"], finding: Finding, after = ""): SourceReport {
  const message = `${formatFinding(finding)}${after}`;
  return { kind, file: finding.file, ...finding.position, message };
}
