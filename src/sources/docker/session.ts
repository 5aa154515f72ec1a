import { RotaError } from "../../base/error.ts";
import { createScope } from "../../base/scope.ts";
import type { Timers } from "../../base/timers.ts";
import { readTlsFiles } from "./dial.ts";
import type { EngineAddress } from "./endpoint.ts";
import { type Engine, openEngine, type Reply } from "./engine.ts";
import { couldNotAsk, refusal, unreachable } from "./failure.ts";
import { parseJson } from "./fields.ts";

/** An engine that was found to speak our language. All paths are without the version. */
export interface Session extends AsyncDisposable {
  /** The version of the API that is spoken, as "1.41". */
  readonly version: string;
  /** What it answers, octet for octet. */
  octets(path: string, signal: AbortSignal): Promise<Buffer>;
  /** What JSON it answers; undefined: there is no such thing. */
  find(path: string, signal: AbortSignal): Promise<unknown>;
  listen(path: string, signal: AbortSignal): Promise<AsyncIterable<string>>;
  ping(signal: AbortSignal): Promise<void>;
  /** @throws RotaError `ERR_ROTA_DOCKER`: it is no JSON, so that not even nothing can be concluded from it */
  parse(path: string, octets: Buffer): unknown;
  /** As `parse`, of what must be a list. */
  list(path: string, octets: Buffer): readonly unknown[];
}

/** Docker 20.10, and what Podman says of itself. */
const OLDEST_MINOR = 41;
/** The newest that anybody read the description of: what comes after may mean something else by the same words. */
const NEWEST_MINOR = 51;

/** @throws RotaError `ERR_ROTA_DOCKER`: it cannot be reached, or is too old */
export async function openSession(
  address: EngineAddress,
  timers: Timers,
  signal: AbortSignal,
): Promise<Session> {
  const tls = await readTlsFiles(address);
  await using scope = createScope();
  const engine = scope.use(openEngine(address, tls, timers));
  const version = await negotiate(engine, address, signal);
  const opened = scope.move();
  const pathOf = (path: string): string => `/v${version}${path}`;
  const parse = (path: string, octets: Buffer): unknown => {
    const found = parseJson(octets);
    if (found === undefined) throw couldNotAsk(address, path, "its answer is not JSON");
    return found;
  };

  return {
    version,
    async octets(path, signal) {
      const reply = await engine.ask(pathOf(path), signal);
      if (reply.status !== 200) throw refusal(address, path, reply);
      return reply.body;
    },
    async find(path, signal) {
      const reply = await engine.ask(pathOf(path), signal);
      if (reply.status === 404) return undefined;
      if (reply.status !== 200) throw refusal(address, path, reply);
      return parse(path, reply.body);
    },
    listen: (path, signal) => engine.listen(pathOf(path), signal),
    ping: async (signal) => void (await ping(engine, address, signal)),
    parse,
    list(path, octets) {
      const found = parse(path, octets);
      if (Array.isArray(found)) return found;
      throw couldNotAsk(address, path, "its answer is no list");
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function negotiate(engine: Engine, address: EngineAddress, signal: AbortSignal): Promise<string> {
  const { apiVersion } = await ping(engine, address, signal);
  const [, digits] = /^1\.(\d{1,4})$/.exec(apiVersion) ?? [];
  if (digits === undefined)
    throw unreachable(address, "what listens there does not say which API it speaks, as Docker does");
  const minor = Number(digits);
  if (minor >= OLDEST_MINOR) return `1.${Math.min(minor, NEWEST_MINOR)}`;
  const needed = `Rota needs 1.${OLDEST_MINOR} (Docker 20.10) or later`;
  throw new RotaError("ERR_ROTA_DOCKER", `the engine at ${address.text} speaks API ${apiVersion}: ${needed}`);
}

/** The one path that has no version. */
async function ping(engine: Engine, address: EngineAddress, signal: AbortSignal): Promise<Reply> {
  const reply = await engine.ask("/_ping", signal);
  if (reply.status !== 200) throw refusal(address, "/_ping", reply);
  return reply;
}
