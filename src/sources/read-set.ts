import { setImmediate } from "node:timers/promises";
import type { Declaration } from "../model/declaration.ts";
import { type Packed, unpack } from "./pack.ts";
import {
  type FileReply,
  type FileRequest,
  sharedInFiles,
  type ReadReply,
  type ReadRequest,
  type ReadTerms,
  type Shared,
} from "./read.ts";

/** A file and what stands in it. */
export interface FileVersion {
  readonly file: string;
  readonly octets: Uint8Array;
  /** What it said before: where it still says so, the declarations are the same objects. */
  readonly before?: FileReading | undefined;
}

/** What a version of a file declares. */
export interface FileReading extends Omit<FileReply, "services"> {
  readonly services: readonly Declaration[];
  readonly byDigest: ReadonlyMap<string, Declaration>;
  /** What counts of all files that it was read with: with other things it must be read again. */
  readonly sharedInSet: string;
}

/** Reads a set of files together, in order. What has been read already is not read again. */
export type ReadSet = (files: readonly FileVersion[]) => Promise<readonly FileReading[]>;

type Ask = (request: ReadRequest) => Promise<ReadReply>;

/** Declarations are made of text this many at a time, so that no DNS answer waits for all of them. */
const BATCH = 200;

export function createReadSet(ask: Ask, terms: ReadTerms): ReadSet {
  // By the octets themselves: who holds on to a version keeps its reading.
  const readings = new WeakMap<Uint8Array, FileReading>();
  const sharedOf = ({ file, octets }: FileVersion): Shared => {
    const { networks = [], projectName } = readings.get(octets) ?? {};
    return { file, networks, projectName };
  };

  return async (files) => {
    const byFile = new Map(files.map((version) => [version.file, version]));
    const readThose = async (unread: readonly FileVersion[]): Promise<void> => {
      if (unread.length === 0) return;
      const requests = files.map((version): FileRequest => {
        const { file, octets } = version;
        if (!unread.includes(version)) return { kind: "read", ...sharedOf(version) };
        return { kind: "unread", file, octets, known: new Set(version.before?.byDigest.keys()) };
      });
      const { replies, sharedInSet } = await ask({ ...terms, files: requests });
      for (const reply of replies) {
        const version = byFile.get(reply.file);
        if (version === undefined) continue;
        const { services, ...rest } = reply;
        const byDigest = await unpackAll(services, version.before?.byDigest);
        readings.set(version.octets, { ...rest, byDigest, sharedInSet, services: [...byDigest.values()] });
      }
    };

    await readThose(files.filter(({ octets }) => !readings.has(octets)));
    // A network that one file declares counts in all, as a project's name may: what was read without is read again.
    const { sharedInSet } = sharedInFiles(files.map(sharedOf));
    await readThose(files.filter(({ octets }) => readings.get(octets)?.sharedInSet !== sharedInSet));
    return files.flatMap(({ octets }) => readings.get(octets) ?? []);
  };
}

async function unpackAll(
  services: readonly Packed[],
  declared: ReadonlyMap<string, Declaration> | undefined,
): Promise<ReadonlyMap<string, Declaration>> {
  const byDigest = new Map<string, Declaration>();
  for (const [at, { digest, origin, text }] of services.entries()) {
    if (at % BATCH === BATCH - 1) await setImmediate();
    const declaration = declared?.get(digest) ?? (text === undefined ? undefined : unpack(text, origin));
    if (declaration !== undefined) byDigest.set(digest, declaration);
  }
  return byDigest;
}
