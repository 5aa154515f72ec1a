import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { createFolder } from "../folder.ts";

/** Answers one path as no engine should. */
export type Route = (response: ServerResponse, request: IncomingMessage) => void;

/** A real server on a Unix socket, that answers as an engine with nothing in it unless it is told otherwise. */
export interface FakeEngine extends AsyncDisposable {
  readonly socket: string;
  /** What was asked, as `GET /networks`, without the version. */
  readonly asked: readonly string[];
  /** Waits until something was asked so often in all. */
  heard(line: string, times?: number): Promise<void>;
  /** From now on answers a path so. */
  route(path: string, route: Route): void;
  /** Writes to all that listen to events. */
  say(text: string): void;
  /** Cuts all connections that are open. */
  cut(): void;
}

export const ID = "a1".repeat(32);

export async function openFakeEngine(routes: Readonly<Record<string, Route>> = {}): Promise<FakeEngine> {
  const folder = await createFolder();
  const socket = folder.at("engine.sock");
  const asked: string[] = [];
  const waiting = new Set<() => void>();
  const listeners = new Set<ServerResponse>();
  const sockets = new Set<Socket>();
  const events: Route = (response) => {
    response.flushHeaders();
    listeners.add(response.on("close", () => listeners.delete(response)));
  };
  const known = new Map<string, Route>(Object.entries({ ...EMPTY, "/events": events, ...routes }));
  const server = createServer((request, response) => {
    const [path = ""] = (request.url ?? "").replace(/^\/v[\d.]+/, "").split("?");
    asked.push(`${request.method} ${path}`);
    for (const look of waiting) look();
    const route = known.get(path) ?? json(404, { message: "no such thing" });
    route(response, request);
  });
  server.on("connection", (socket) => {
    sockets.add(socket.on("close", () => sockets.delete(socket)));
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve) => {
    server.listen(socket, resolve);
  });

  return {
    socket,
    asked,
    heard: (line, times = 1) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (asked.filter((found) => found === line).length < times) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    route: (path, route) => void known.set(path, route),
    say(text) {
      for (const listener of listeners) listener.write(text);
    },
    cut,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => {
        server.close(resolve);
      });
      cut();
      await closed;
      await folder[Symbol.asyncDispose]();
    },
  };
}

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Route {
  return (response) => void response.writeHead(status, headers).end(JSON.stringify(body));
}

export function ping(version: string): Route {
  return json(200, "OK", { "api-version": version });
}

/** What an inspection shows, besides what is said of it. */
export function inspected(more: object = {}, id = ID): object {
  return {
    Id: id,
    Name: "/web",
    Created: "2026-01-01T00:00:00Z",
    State: { Status: "running", StartedAt: "1" },
    Config: {},
    NetworkSettings: { Networks: {} },
    ...more,
  };
}

/** The paths of an engine with these containers in it. */
export function holding(...containers: readonly object[]): Record<string, Route> {
  const ids = containers.map((container) => ("Id" in container ? String(container.Id) : ""));
  return {
    "/containers/json": json(
      200,
      ids.map((id) => ({ Id: id })),
    ),
    ...Object.fromEntries(
      containers.map((container, at) => [`/containers/${ids[at]}/json`, json(200, container)]),
    ),
  };
}

export function eventOf(action: string, attributes: object = {}): string {
  return `${JSON.stringify({ Type: "container", Action: action, Actor: { ID, Attributes: attributes } })}\n`;
}

const EMPTY: Readonly<Record<string, Route>> = {
  "/_ping": ping("1.41"),
  "/networks": json(200, []),
  "/containers/json": json(200, []),
  "/info": json(200, { Swarm: { LocalNodeState: "inactive", ControlAvailable: false } }),
};
