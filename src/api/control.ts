import { once } from "node:events";
import { chmod, lstat, mkdir, rm } from "node:fs/promises";
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createConnection } from "node:net";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { messageOf, RotaError, systemCodeOf } from "../base/error.ts";

/** What a running server can be asked over its control socket, by the path and the query of a GET. */
export type Question = (argument: string, parameters: URLSearchParams) => Answered | Promise<Answered>;

/** An answer for people, and the same for programs. */
export interface Answered {
  readonly text: string;
  readonly json: unknown;
}

/** Only the server's own user gets this far, but a script of his may hang. */
const MAX_CONNECTIONS = 32;
const REQUEST_TIMEOUT_MS = 5000;
/** Node looks for requests that take too long every 30 s unless it is told. */
const LOOK_MS = 1000;
/** unix(7): `sun_path` has 108 octets, the zero at its end among them. */
const MAX_PATH_OCTETS = 107;

/**
 * Where the control socket is unless somebody says otherwise: one place for each user of the machine, whatever
 * the environment: a server that systemd starts and the shell that asks it have different ones.
 */
export const DEFAULT_CONTROL_PATH: string = join(
  process.getuid?.() === 0 ? "/run/rota" : `/tmp/rota-${process.getuid?.() ?? 0}`,
  "control.sock",
);

/** In place of a path: no control socket. */
export const NO_CONTROL = "none";

/**
 * Listens on a Unix socket that only this user can open, for HTTP: `GET /explain/web`, as text or, to who
 * accepts `application/json`, as JSON. What a server that was killed left at `path` is cleared away.
 *
 * @throws RotaError `ERR_ROTA_CONTROL`: another server listens there, or nothing can be made there
 */
export async function openControl(
  path: string,
  questions: ReadonlyMap<string, Question>,
): Promise<AsyncDisposable> {
  assertPath(path);
  const limits = { requestTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: LOOK_MS };
  const server = createServer(limits, (request, response) => {
    void respond(request, response, questions);
  });
  server.maxConnections = MAX_CONNECTIONS;
  const close = async (): Promise<void> => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await assertOurs(path);
    await clearAway(path);
    await listen(server, path);
  } catch (cause) {
    if (server.listening) await close();
    throw new RotaError(
      "ERR_ROTA_CONTROL",
      `could not open the control socket ${path}: ${await whyNot(path, cause)}; choose another by --control PATH`,
      { cause },
    );
  }
  return { [Symbol.asyncDispose]: close };
}

async function whyNot(path: string, cause: unknown): Promise<string> {
  if (systemCodeOf(cause) !== "EADDRINUSE") return messageOf(cause);
  return (await isSocket(path)) ? "another server listens there" : "something that is no socket is there";
}

/**
 * Asks the server behind a control socket: `askControl(path, "/explain/web", "text/plain", signal)`.
 *
 * @throws RotaError `ERR_ROTA_CONTROL`: nobody listens, or the question cannot be answered
 */
export async function askControl(
  path: string,
  target: string,
  accept: "text/plain" | "application/json",
  signal: AbortSignal,
): Promise<string> {
  assertPath(path);
  await assertOurs(path);
  const asking = request({ socketPath: path, path: target, headers: { accept }, agent: false, signal });
  try {
    asking.end();
    const [response]: IncomingMessage[] = await once(asking, "response");
    if (!response) throw new Error("it said nothing");
    const body = await text(response);
    if (response.statusCode === 200) return body;
    throw new Error(body.trim());
  } catch (cause) {
    const why = REFUSALS.get(systemCodeOf(cause) ?? "") ?? messageOf(cause);
    throw new RotaError("ERR_ROTA_CONTROL", `could not ask the server at ${path}: ${why}`, { cause });
  }
}

/** The default place is known to everybody: who makes it first, as a folder of his own, must not be listened to. */
async function assertOurs(path: string): Promise<void> {
  if (path !== DEFAULT_CONTROL_PATH) return;
  const folder = dirname(path);
  const found = await lstat(folder).catch(() => undefined);
  if (!found) return; // to listen or ask says why
  const isOurs = found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
  if (isOurs) return;
  const message = `${folder} is not a folder that only this user can write to: remove it, or name another socket by --control`;
  throw new RotaError("ERR_ROTA_CONTROL", message);
}

const NOBODY =
  "no server listens there; start rota serve, name its socket by --control, or name services FILES";

const HUNG_UP = "it hung up, as it does on more than it can answer at once; try again";

const REFUSALS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", NOBODY],
  ["ECONNREFUSED", NOBODY],
  ["EACCES", "it is another user's; ask as the user that rota serve runs as"],
  ["ECONNRESET", HUNG_UP],
  ["EPIPE", HUNG_UP],
]);

async function respond(
  asked: IncomingMessage,
  response: ServerResponse,
  questions: ReadonlyMap<string, Question>,
): Promise<void> {
  const [, name = "", argument = "", query] = /^\/([a-z]+)\/([^/?]+)(?:\?(.*))?$/.exec(asked.url ?? "") ?? [];
  const question = questions.get(name);
  if (asked.method !== "GET" || !question) {
    const known = [...questions.keys()].map((known) => `GET /${known}/NAME`);
    end(response, 404, "text/plain", `there is only ${known.join(", ")}\n`);
    return;
  }
  try {
    const { text, json } = await question(decodeURIComponent(argument), new URLSearchParams(query));
    if (asked.headers.accept?.includes("application/json") === true)
      end(response, 200, "application/json", `${JSON.stringify(json)}\n`);
    else end(response, 200, "text/plain", text);
  } catch (error) {
    end(response, 400, "text/plain", `${messageOf(error)}\n`);
  }
}

function end(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { "content-type": `${type}; charset=utf-8`, connection: "close" }).end(body);
}

/** Removes a socket that nobody listens on any more. Of anything else, listening says what is wrong. */
async function clearAway(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  const code = await new Promise<string | undefined>((resolve) => {
    const socket = createConnection(path, () => {
      socket.destroy();
      resolve("EISCONN");
    }).on("error", (error) => resolve(systemCodeOf(error)));
  });
  // A file that is no socket refuses as well, and is somebody's; another that starts may have put its own there since.
  const isStale = code === "ECONNREFUSED" && found?.isSocket() === true;
  if (isStale && (await lstat(path)).ino === found.ino) await rm(path);
}

async function isSocket(path: string): Promise<boolean> {
  return (await lstat(path)).isSocket();
}

async function listen(server: Server, path: string): Promise<void> {
  server.listen(path);
  await once(server, "listening");
  await chmod(path, 0o600);
}

function assertPath(path: string): void {
  const octets = Buffer.byteLength(path);
  if (octets > 0 && octets <= MAX_PATH_OCTETS) return;
  throw new RotaError(
    "ERR_ROTA_CONTROL",
    `could not take the control socket "${path}": a path has 1 to ${MAX_PATH_OCTETS} octets, this has ${octets}`,
  );
}
