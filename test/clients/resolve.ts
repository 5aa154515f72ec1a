import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { linesOf } from "./run.ts";

const SOURCE = fileURLToPath(new URL("resolve.c", import.meta.url));

/** A program of one C library that asks what its words say: see resolve.c. */
export interface Resolve extends AsyncDisposable {
  readonly program: string;
}

export interface Libc {
  readonly name: "glibc" | "musl";
  readonly compiler: readonly string[];
}

export const LIBCS: readonly Libc[] = [
  // Dynamic: a static glibc has no name service switch of its own.
  { name: "glibc", compiler: ["gcc"] },
  { name: "musl", compiler: ["musl-gcc", "-static"] },
];

export async function buildResolve({ compiler }: Libc): Promise<Resolve> {
  const folder = await mkdtemp(join(tmpdir(), "rota-resolve-"));
  const remove = async (): Promise<void> => rm(folder, { recursive: true });
  const program = join(folder, "resolve");
  try {
    await linesOf([...compiler, "-O", "-o", program, SOURCE]);
  } catch (error) {
    await remove();
    throw error;
  }
  return { program, [Symbol.asyncDispose]: remove };
}
