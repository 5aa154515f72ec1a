import { Buffer } from "node:buffer";
import { Socket } from "node:net";
import type { Crew } from "./crew.ts";
import type { TcpFlow } from "./flow.ts";
import { proxyHeaderOf } from "./proxy-header.ts";
import type { Shared } from "./shared.ts";
import { pass, read, reset } from "./stream.ts";
import type { Target } from "./target.ts";

/** Tasks that were tried in vain: hardly ever any. */
const NONE: readonly Target[] = [];

/** What tasks say is read to here, and copied out before anything else is: no more than this waits for a client. */
const heard = Buffer.allocUnsafeSlow(32 * 1024);

/**
 * Carries a client that has connected and that nothing was read from: to a task, or to another while none has
 * taken it. `client` must have been accepted with {@link ACCEPTING}.
 *
 * This is the hot path, and is written for few system calls a connection.
 */
export function carryTcp(client: Socket, crew: Crew, shared: Shared): void {
  const { tally, limits } = shared;
  client.on("error", ignore); // "close" follows
  if (tally.connections.open >= limits.maxConnections) {
    tally.refused += 1;
    reset(client);
    return;
  }
  tally.connections.total += 1;
  tally.connections.open += 1;
  // Asking for it costs a system call.
  const name = crew.isByClient ? (client.remoteAddress ?? "") : "";
  let tried = NONE;
  let target: Target | undefined;
  let task: Socket | undefined;
  /** Whether the task has taken it. */
  let stands = false;
  let isClientGone = false;
  let hasClientEnded = false;
  let hasTaskEnded = false;
  let isClientHeld = false;
  let isTaskHeld = false;
  let hasHeardClient = false;
  let hasHeardTask = false;

  const flow: TcpFlow = {
    giveUp: () => task?.destroy(),
    end() {
      if (stands) reset(client);
      if (task && stands) reset(task);
      if (task && !stands) task.destroy(); // nothing was sent yet: another task may have it
    },
    keepAlive(ms) {
      client.setKeepAlive(true, ms);
      task?.setKeepAlive(true, ms);
    },
  };

  client.on("close", () => {
    isClientGone = true;
    if (!task) leave();
    else if (!stands) task.destroy();
    else if (!hasClientEnded || !hasTaskEnded) reset(task);
  });
  tryNext();

  function tryNext(): void {
    target = tried.length < limits.tries ? crew.pick(name, tried) : undefined;
    if (!target) {
      tally.unserved += 1;
      reset(client);
      return;
    }
    if (tried.length > 0) tally.retries += 1;
    target.flows.add(flow);
    target.given += 1;
    task = new Socket(calling(hearTask));
    task.on("connect", join);
    task.on("error", ignore); // "close" follows
    task.on("close", part);
    task.connect(target.port, target.host);
    shared.connecting.touch(flow);
  }

  function join(): void {
    if (!task || !target) return;
    shared.connecting.delete(flow);
    if (client.destroyed || isItself(task, target)) {
      task.destroy();
      return;
    }
    const { proxyProtocol } = crew.frontend;
    if (proxyProtocol !== 0) {
      hasHeardClient = true;
      const header = proxyHeaderOf(client, proxyProtocol);
      if (!header) {
        task.destroy(); // the client is gone, and nobody can say who it was
        return;
      }
      task.write(header);
    }
    stands = true;
    shared.standing.touch(flow);
    shared.young.touch(flow);
    task.on("drain", () => {
      if (!isClientHeld) return;
      isClientHeld = false;
      read(client);
    });
    client.on("drain", () => {
      if (!isTaskHeld) return;
      isTaskHeld = false;
      task?.resume();
    });
    client.on("end", () => {
      hasClientEnded = true;
      if (hasTaskEnded) finish();
      else task?.end();
    });
    task.on("end", () => {
      hasTaskEnded = true;
      if (hasClientEnded) finish();
      else client.end();
    });
    // A stream's own `push` would take one chunk more than there is room for before it stopped reading, and would
    // tell of each by an event; false has the socket stop at once, until it is to read on.
    const { push } = client;
    client.push = (chunk: Buffer | null) => (chunk === null ? push.call(client, null) : hearClient(chunk));
    read(client);
  }

  function hearClient(chunk: Buffer): boolean {
    if (!task) return false;
    tally.octetsUp += chunk.length;
    shared.standing.touch(flow);
    // The first that is sent waits for nothing (RFC 896); most connections have no second.
    if (hasHeardClient) task.setNoDelay();
    hasHeardClient = true;
    isClientHeld = !pass(task, chunk);
    return !isClientHeld;
  }

  function hearTask(octets: number): boolean {
    tally.octetsDown += octets;
    shared.standing.touch(flow);
    if (hasHeardTask) client.setNoDelay();
    hasHeardTask = true;
    client.write(Buffer.from(heard.subarray(0, octets)));
    isTaskHeld = client.writableLength > 0;
    return !isTaskHeld;
  }

  /** Both have said all. What was sent is sent by closing, too: that spares a shutdown. */
  function finish(): void {
    for (const side of [client, task]) {
      if (side?.writableLength === 0) side.destroy();
      else side?.end();
    }
  }

  /** The task is gone. */
  function part(): void {
    task = undefined;
    if (stands && isClientGone) leave();
    if (stands && (!hasClientEnded || !hasTaskEnded)) reset(client);
    if (stands) return;
    shared.connecting.delete(flow);
    target?.flows.delete(flow);
    if (isClientGone) leave();
    if (client.destroyed || !target) return;
    tally.failures += 1;
    tried = [...tried, target];
    tryNext();
  }

  function leave(): void {
    tally.connections.open -= 1;
    target?.flows.delete(flow);
    shared.standing.delete(flow);
    shared.young.delete(flow);
  }

  /**
   * Whether both ends of the connection are one (RFC 9293 section 3.5): where nobody listens, Linux may give the
   * socket the very port that it calls.
   */
  function isItself(socket: Socket, { port }: Target): boolean {
    const mayBe = port >= shared.firstCallingPort && socket.localPort === port;
    return mayBe && socket.localAddress === socket.remoteAddress;
  }
}

/** How clients are to be accepted; each is told of everything that has left (1). */
export const ACCEPTING = { pauseOnConnect: true, allowHalfOpen: true, highWaterMark: 1 } as const;

function calling(callback: (octets: number) => boolean) {
  return { allowHalfOpen: true, writableHighWaterMark: 1, onread: { buffer: heard, callback } };
}

function ignore(): void {}
