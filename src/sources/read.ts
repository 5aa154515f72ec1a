import { basename, dirname, resolve } from "node:path";
import type { Network } from "../model/declaration.ts";
import type { Name } from "../model/name.ts";
import { isComposeFile, parseComposeFile, parseComposeNetworks } from "../schema/compose.ts";
import type { ProjectTerms } from "../schema/compose-networks.ts";
import { formatProblem, type Path, type Problem } from "../schema/problem.ts";
import { type Parsed, parseNetworks, parseServicesFile, type ServicesFileOptions } from "../schema/schema.ts";
import { decode } from "./decode.ts";
import { type ReadDocument, readDocument } from "./document.ts";
import { expandCompose } from "./expand-compose.ts";
import { type Environment, expand } from "./expand.ts";
import { type Packed, pack } from "./pack.ts";
import { type Finding, formatPlace, type Placed, type Position } from "./report.ts";
import type { Expand } from "./variables.ts";

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
  | { readonly kind: "read"; readonly file: string; readonly networks: readonly Network[] };

export interface ReadReply {
  readonly replies: readonly FileReply[];
  /** The networks that all files of the set declare, as text to compare. */
  readonly networksOfSet: string;
}

export interface NetworksOfFiles {
  readonly networks: ReadonlyMap<string, Network>;
  readonly networksOfSet: string;
}

/** What stands in a file; if there are problems, its services are left out. */
export interface FileReply {
  readonly file: string;
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
  /** Those that are well-formed. */
  readonly networks: readonly Network[];
  readonly zone: Name | undefined;
  readonly ttl: number | undefined;
  readonly negativeTtl: number | undefined;
  readonly services: readonly Packed[];
  /** Where `zone`, `ttl`, `negative_ttl` and each `networks.NAME` stand. */
  readonly places: ReadonlyMap<string, Position>;
}

interface OpenFile {
  readonly request: Extract<FileRequest, { kind: "unread" }>;
  readonly document: ReadDocument;
  readonly kind: FileKind;
  readonly networks: readonly Network[];
}

/** In whose words a file is written: Rota's or Compose's. */
interface FileKind {
  readonly expand: Expand;
  readonly networks: (value: unknown) => ReadonlyMap<string, Network>;
  readonly parse: (value: unknown, origin: (path: Path) => string, options: ServicesFileOptions) => Parsed;
  /** Beneath what `zone`, `ttl` and `negative_ttl` stand. */
  readonly settings: Path;
}

/** Reads and checks the unread files of a set, and answers for each of them, in order. */
export function read({ files, env, allowExec }: ReadRequest): ReadReply {
  const opened = files.map((request) => (request.kind === "read" ? request : openFile(request, env)));
  const { networks, networksOfSet } = networksOfFiles(opened.map(({ networks }) => networks));
  const replies = opened.flatMap((file) =>
    "document" in file ? [checkFile(file, { networks, allowExec })] : [],
  );
  return { replies, networksOfSet };
}

/** The networks of several files, of one name the first; and a text that is equal for equal ones. */
export function networksOfFiles(ofFiles: readonly (readonly Network[])[]): NetworksOfFiles {
  // Of one key, a Map keeps the last.
  const all = ofFiles.flat().toReversed();
  const networks = new Map(all.map((network) => [network.name, network]));
  return { networks, networksOfSet: JSON.stringify([...networks.values()]) };
}

function openFile(request: OpenFile["request"], env: Environment): OpenFile {
  const text = decode(request.octets);
  const kindOf = (value: unknown): FileKind =>
    isComposeFile(basename(request.file), value) ? composeKind(request.file, env) : servicesKind(env);
  const document =
    typeof text === "string" ? readDocument(text, (value) => kindOf(value).expand) : unreadable(text);
  // Keys have no variables: it is the same kind as before.
  const kind = kindOf(document.value);
  const networks = document.problems.length > 0 ? [] : [...kind.networks(document.value).values()];
  return { request, document, kind, networks };
}

function servicesKind(env: Environment): FileKind {
  return {
    expand: (text) => ({ text: expand(text, env), missing: new Map() }),
    networks: parseNetworks,
    parse: parseServicesFile,
    settings: [],
  };
}

function composeKind(file: string, env: Environment): FileKind {
  const terms: ProjectTerms = { env, folder: basename(dirname(resolve(file))) };
  return {
    expand: (text) => expandCompose(text, env),
    networks: (value) => parseComposeNetworks(value, terms),
    parse: (value, origin, options) => parseComposeFile(value, origin, { ...options, ...terms }),
    settings: ["x-rota"],
  };
}

function checkFile({ request, document, kind, networks }: OpenFile, options: ServicesFileOptions): FileReply {
  const { file } = request;
  const findingOf = ({ position, message }: Placed): Finding => ({ file, position, message });
  const locate = (problem: Problem): Finding => ({
    file,
    position: document.locate(problem.path, problem.at),
    message: formatProblem(problem),
  });
  const warnings = document.warnings.map(findingOf);
  const reply = { file, warnings, networks, zone: undefined, ttl: undefined, negativeTtl: undefined };
  const empty = { ...reply, services: [], places: new Map<string, Position>() };
  if (document.problems.length > 0) return { ...empty, problems: document.problems.map(findingOf) };

  const origin = (path: Problem["path"]): string => formatPlace(file, document.locate(path, "key"));
  const parsed = kind.parse(document.value, origin, options);
  if (!parsed.ok) return { ...empty, problems: parsed.problems.map(locate).toSorted(inFileOrder) };
  const { zone, ttl, negativeTtl, services } = parsed.roster;
  return {
    file,
    problems: [],
    warnings: [...warnings, ...parsed.warnings.map(locate)],
    networks,
    zone,
    ttl,
    negativeTtl,
    services: services.map((service) => pack(service, request.known)),
    places: new Map([
      ...["zone", "ttl", "negative_ttl"].map(
        (key) => [key, document.locate([...kind.settings, key], "key")] as const,
      ),
      ...networks.map(
        ({ name }) => [`networks.${name}`, document.locate(["networks", name], "key")] as const,
      ),
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
