import { setMaxListeners } from "node:events";
import { Agent, type ClientRequest, get, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { RotaError, systemCodeOf } from "../../base/error.ts";
import type { Timers } from "../../base/timers.ts";
import { dial, type TlsFiles } from "./dial.ts";
import type { EngineAddress } from "./endpoint.ts";
import { couldNotAsk, refusal, unreachable } from "./failure.ts";
import { linesOf, readBody } from "./lines.ts";

/** An engine that can be asked, and cannot be told: nothing here sends anything but GET. */
export interface Engine extends AsyncDisposable {
  /** @throws RotaError `ERR_ROTA_DOCKER`: no whole answer came, whatever it says */
  ask(path: string, signal: AbortSignal): Promise<Reply>;
  /**
   * Resolves when the engine has begun to answer with lines that go on for ever, which are then to be read.
   *
   * @throws RotaError `ERR_ROTA_DOCKER`: it did not, or then the answer broke off
   */
  listen(path: string, signal: AbortSignal): Promise<AsyncIterable<string>>;
}

export interface Reply {
  readonly status: number;
  /** The newest version of its API, as it says: "1.41". */
  readonly apiVersion: string;
  readonly body: Buffer;
}

const REQUEST_MS = 10_000;
/** As many containers as are asked of at a time, and what goes on beside it. sshd turns away more than ten at once. */
const MAX_CONNECTIONS = 9;
/** What becomes of a request on a connection that was closed in the same moment. */
const STALE = new Set(["ECONNRESET", "EPIPE"]);

export function openEngine(address: EngineAddress, tls: TlsFiles | undefined, timers: Timers): Engine {
  const open = new Set<Promise<void>>();
  const agent = Object.assign(new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS }), {
    createConnection: () => connect(),
  });
  const ending = new AbortController();
  setMaxListeners(0, ending.signal); // one for each connection

  return {
    ask(path, signal) {
      return bounded(path, signal, async (asking) => read(await begin(path, asking, agent), path));
    },
    async listen(path, signal) {
      // Bounded until it begins; from then on it ends with `signal`.
      const response = await bounded(path, signal, async (asking) => {
        const response = await begin(path, asking, undefined);
        if (response.statusCode === 200) return response;
        throw refusal(address, path, await read(response, path));
      });
      const end = (): void => void response.destroy();
      signal.addEventListener("abort", end, { once: true });
      response.once("close", () => signal.removeEventListener("abort", end));
      if (signal.aborted) end();
      return linesOf(response, (why) => couldNotAsk(address, path, why));
    },
    async [Symbol.asyncDispose]() {
      ending.abort();
      agent.destroy();
      await Promise.all(open);
    },
  };

  function connect(): Duplex {
    // Of a pipe there is nothing to set, which an agent does not ask.
    const quiet = { setKeepAlive: () => {}, setTimeout: () => {}, ref: () => {}, unref: () => {} };
    const dialled = dial(address, tls);
    const connection = "setKeepAlive" in dialled ? dialled : Object.assign(dialled, quiet);
    const end = (): void => void connection.destroy();
    ending.signal.addEventListener("abort", end, { once: true });
    const closed = new Promise<void>((resolve) => {
      connection.once("close", () => {
        ending.signal.removeEventListener("abort", end);
        resolve();
      });
    });
    open.add(closed);
    void closed.then(() => open.delete(closed));
    return connection;
  }

  /** Resolves with the headers. A connection that was kept, and that the engine closed meanwhile, is made anew. */
  async function begin(
    path: string,
    signal: AbortSignal,
    agent: Agent | undefined,
  ): Promise<IncomingMessage> {
    const { host = "docker", port } = address.kind === "tcp" ? address : {};
    const to = { host, port, path, signal, headers: { accept: "application/json" } };
    for (;;) {
      const asked = get(agent ? { ...to, agent } : { ...to, createConnection: connect });
      try {
        return await responseTo(asked);
      } catch (error) {
        const isStale = asked.reusedSocket && STALE.has(systemCodeOf(error) ?? "");
        if (!isStale || signal.aborted) throw error;
      }
    }
  }

  async function read(response: IncomingMessage, path: string): Promise<Reply> {
    const body = await readBody(response, (why) => couldNotAsk(address, path, why));
    const apiVersion = String(response.headers["api-version"] ?? "");
    return { status: response.statusCode ?? 0, apiVersion, body };
  }

  /** Does what takes a request's time at most. What was begun and is to outlast it takes no harm. */
  async function bounded<T>(
    path: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    signal.throwIfAborted();
    const asking = new AbortController();
    let isLate = false;
    const end = (): void => asking.abort();
    const cancel = timers.after(REQUEST_MS, () => {
      isLate = true;
      asking.abort();
    });
    signal.addEventListener("abort", end, { once: true });
    try {
      return await work(asking.signal);
    } catch (cause) {
      signal.throwIfAborted();
      if (isLate) throw couldNotAsk(address, path, `no whole answer within ${REQUEST_MS / 1000} s`);
      throw cause instanceof RotaError ? cause : unreachable(address, cause);
    } finally {
      cancel();
      signal.removeEventListener("abort", end);
    }
  }
}

function responseTo(asked: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.once("response", resolve);
    asked.on("error", reject); // later ones are told by the response
  });
}
