import { basename } from "node:path";
import type { Network, Node } from "../model/declaration.ts";
import type { Name } from "../model/name.ts";
import { isComposeFile, projectNameOf } from "../schema/compose.ts";
import { formatProblem, type Problem } from "../schema/problem.ts";
import type { ServicesFileOptions } from "../schema/schema.ts";
import { decode } from "./decode.ts";
import { type ReadDocument, readDocument } from "./document.ts";
import type { Environment } from "./expand.ts";
import { type FileKind, kindOf, overriddenBy } from "./file-kind.ts";
import { type Packed, pack } from "./pack.ts";
import { type Finding, formatPlace, type Placed, type Position } from "./report.ts";

/** How files are read. */
export interface ReadTerms {
  /** What `${VAR}` stands for. */
  readonly env: Environment;
  /** Whether health checks may run commands. */
  readonly allowExec: boolean;
}

/** What is asked of a thread: data only, since it is copied there. */
export interface ReadRequest extends ReadTerms {
  /** All files of a set, since one may name a network that another declares; of two that do, the first counts. */
  readonly files: readonly FileRequest[];
}

export type FileRequest =
  | {
      readonly kind: "unread";
      readonly file: string;
      readonly octets: Uint8Array;
      readonly known: ReadonlySet<string>;
    }
  | ({ readonly kind: "read" } & Shared);

/** What a file says that counts in others. */
export interface Shared {
  readonly file: string;
  readonly networks: readonly Network[];
  /** What a Compose file calls its project: its override is of the same. */
  readonly projectName: string | undefined;
}

export interface ReadReply {
  readonly replies: readonly FileReply[];
  /** What the files of the set say that counts in all, as text to compare. */
  readonly sharedInSet: string;
}

export interface SharedInFiles {
  readonly networks: ReadonlyMap<string, Network>;
  readonly sharedInSet: string;
}

/** What stands in a file; if there are problems, its services are left out. */
export interface FileReply extends Shared {
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
  readonly zone: Name | undefined;
  readonly ttl: number | undefined;
  readonly negativeTtl: number | undefined;
  readonly nodes: readonly Node[];
  readonly services: readonly Packed[];
  /** Where `zone`, `ttl`, `negative_ttl` and each `networks.NAME` and `nodes.NAME` stand. */
  readonly places: ReadonlyMap<string, Position>;
}

type UnreadFile = Extract<FileRequest, { kind: "unread" }>;

interface OpenFile {
  readonly request: UnreadFile;
  readonly document: ReadDocument;
  readonly projectName: string | undefined;
}

interface SharingFile extends OpenFile, Shared {
  readonly kind: FileKind;
}

/** Reads and checks the unread files of a set, and answers for each of them, in order. */
export function read({ files, env, allowExec }: ReadRequest): ReadReply {
  const opened = files.map((request) => (request.kind === "read" ? request : openFile(request, env)));
  const projects = new Map(
    opened.map((file) => ["request" in file ? file.request.file : file.file, file.projectName]),
  );
  const sharing = opened.map((file) =>
    "request" in file ? share(file, env, projects.get(overriddenBy(file.request.file))) : file,
  );
  const { networks, sharedInSet } = sharedInFiles(sharing);
  const replies = sharing.flatMap((file) =>
    "document" in file ? [checkFile(file, { networks, allowExec })] : [],
  );
  return { replies, sharedInSet };
}

/** What files say that counts in all: of networks of one name the first; and a text that is equal where all that is. */
export function sharedInFiles(files: readonly Shared[]): SharedInFiles {
  // Of one key, a Map keeps the last.
  const all = files.flatMap(({ networks }) => networks).toReversed();
  const networks = new Map(all.map((network) => [network.name, network]));
  const projects = files.map(({ file, projectName }) => [file, projectName]);
  return { networks, sharedInSet: JSON.stringify([[...networks.values()], projects]) };
}

function openFile(request: UnreadFile, env: Environment): OpenFile {
  const text = decode(request.octets);
  const document =
    typeof text === "string"
      ? readDocument(text, (value) => kindOf(request.file, value, env, undefined).expand)
      : unreadable(text);
  const isCompose = isComposeFile(basename(request.file), document.value);
  return { request, document, projectName: isCompose ? projectNameOf(document.value) : undefined };
}

function share(file: OpenFile, env: Environment, overridden: string | undefined): SharingFile {
  const { request, document } = file;
  // Keys have no variables: it is the same kind as before.
  const kind = kindOf(request.file, document.value, env, overridden);
  const networks = document.problems.length > 0 ? [] : [...kind.networks(document.value).values()];
  return { ...file, file: request.file, kind, networks };
}

function checkFile(
  { request, document, kind, networks, projectName }: SharingFile,
  options: ServicesFileOptions,
): FileReply {
  const { file } = request;
  const findingOf = ({ position, message }: Placed): Finding => ({ file, position, message });
  const locate = (problem: Problem): Finding => ({
    file,
    position: document.locate(problem.path, problem.at),
    message: formatProblem(problem),
  });
  const warnings = document.warnings.map(findingOf);
  const reply = {
    file,
    projectName,
    warnings,
    networks,
    zone: undefined,
    ttl: undefined,
    negativeTtl: undefined,
    nodes: [],
  };
  const empty = { ...reply, services: [], places: new Map<string, Position>() };
  if (document.problems.length > 0) return { ...empty, problems: document.problems.map(findingOf) };

  const origin = (path: Problem["path"]): string => formatPlace(file, document.locate(path, "key"));
  const parsed = kind.parse(document.value, origin, options);
  if (!parsed.ok) return { ...empty, problems: parsed.problems.map(locate).toSorted(inFileOrder) };
  const { zone, ttl, negativeTtl, nodes, services } = parsed.roster;
  return {
    file,
    problems: [],
    warnings: [...warnings, ...parsed.warnings.map(locate)],
    networks,
    projectName,
    zone,
    ttl,
    negativeTtl,
    nodes,
    services: services.map((service) => pack(service, request.known)),
    places: new Map([
      ...["zone", "ttl", "negative_ttl"].map(
        (key) => [key, document.locate([...kind.settings, key], "key")] as const,
      ),
      ...networks.map(
        ({ name }) => [`networks.${name}`, document.locate(["networks", name], "key")] as const,
      ),
      ...nodes.map(({ name }) => [`nodes.${name}`, document.locate(["nodes", name], "key")] as const),
    ]),
  };
}

function inFileOrder({ position: one }: Finding, { position: other }: Finding): number {
  if (one === undefined || other === undefined) return 0;
  return one.line - other.line || one.column - other.column;
}

function unreadable(problem: Placed): ReadDocument {
  return { value: undefined, problems: [problem], warnings: [], locate: () => ({ line: 1, column: 1 }) };
}
