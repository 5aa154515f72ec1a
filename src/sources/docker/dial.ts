import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import { RotaError, systemCodeOf } from "../../base/error.ts";
import type { EngineAddress, SshEngine } from "./endpoint.ts";

/** What the connections to a TCP engine are secured with; each that is not there is undefined. */
export interface TlsFiles {
  readonly ca: Buffer | undefined;
  readonly cert: Buffer | undefined;
  readonly key: Buffer | undefined;
}

/** TCP tells of a peer that is gone only to who asks. */
const KEEP_ALIVE_MS = 15_000;
/** What is kept of what ssh prints: its last line says why it failed. */
const KEPT_OCTETS = 4096;
/** From SIGTERM to SIGKILL. */
const GRACE_MS = 500;

/**
 * A connection being made: what is written to it waits until it stands, what goes wrong is its `error`, and once its
 * `close` has come nothing is left of it.
 */
export function dial(engine: EngineAddress, tls: TlsFiles | undefined): Duplex {
  switch (engine.kind) {
    case "unix":
      return connectTcp({ path: engine.path });
    case "tcp": {
      const { host, port } = engine;
      const to = { host, port, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };
      return tls === undefined ? connectTcp(to) : connectTls({ ...to, ...tls });
    }
    case "ssh":
      return runSsh(engine);
  }
}

/** Read anew for each session, so that files that were renewed count without a restart. */
export async function readTlsFiles(engine: EngineAddress): Promise<TlsFiles | undefined> {
  if (engine.kind !== "tcp" || engine.tlsFolder === undefined) return undefined;
  const { tlsFolder } = engine;
  const [ca, cert, key] = await Promise.all(
    ["ca.pem", "cert.pem", "key.pem"].map((name) => readIfThere(join(tlsFolder, name))),
  );
  return { ca, cert, key };
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (systemCodeOf(cause) === "ENOENT") return undefined;
    throw new RotaError("ERR_ROTA_DOCKER", `could not read ${path}: ${systemCodeOf(cause)}`, { cause });
  }
}

/**
 * The engine of another machine, by the docker command that is there: it hands on what it reads to its engine and back.
 * Nobody is at hand to type a password.
 */
function runSsh({ host, port, user }: SshEngine): Duplex {
  const args = [
    "-T",
    "-oBatchMode=yes",
    "-oConnectTimeout=10",
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(user === undefined ? [] : ["-l", user]),
    "--",
    host,
    "docker system dial-stdio",
  ];
  const child = spawn("ssh", args, { stdio: "pipe" });
  let said = Buffer.alloc(0);
  let hasEnded = false;

  const stream = new Duplex({
    read: () => void child.stdout.resume(),
    write: (chunk, _, done) => void child.stdin.write(chunk, done),
    final: (done) => void child.stdin.end(done),
    destroy(error, done) {
      if (hasEnded) return done(error);
      child.once("close", () => done(error));
      child.stdin.destroy();
      child.stdout.destroy();
      child.stderr.destroy();
      child.kill("SIGTERM");
      const killing = setTimeout(() => child.kill("SIGKILL"), GRACE_MS);
      child.once("close", () => clearTimeout(killing));
    },
  });
  child.stdin.on("error", () => {}); // its end says why
  child.stdout.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) child.stdout.pause();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    said = Buffer.concat([said, chunk.subarray(-KEPT_OCTETS)]).subarray(-KEPT_OCTETS);
  });
  child.once("error", (error) => {
    said = Buffer.from(systemCodeOf(error) === "ENOENT" ? "there is no program ssh" : error.message);
  });
  child.once("close", (code) => {
    hasEnded = true;
    if (code === 0) return void stream.push(null);
    const why =
      said
        .toString()
        .trim()
        .split(/[\r\n]+/)
        .at(-1) || `exit ${code}`;
    stream.destroy(new Error(`ssh: ${why.replace(/^ssh: /, "")}`));
  });
  return stream;
}
