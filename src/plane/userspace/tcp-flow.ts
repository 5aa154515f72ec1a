import type { Crew } from "./crew.ts";
import type { TcpFlow } from "./flow.ts";
import { writeProxyHeader } from "./proxy-header.ts";
import type { Shared } from "./shared.ts";
import type { Ears, Side } from "./side.ts";
import type { Target } from "./target.ts";

/** Tasks that were tried in vain: hardly ever any. */
const NONE: readonly Target[] = [];

/** For a side of which nothing matters any more. */
const DEAF: Ears = { joined() {}, heard: () => false, ended() {}, drained() {}, gone() {} };

/**
 * Carries a client that has connected and that nothing was read from: to a task, or to another while none has
 * taken it.
 *
 * This is the hot path, and is written for few system calls a connection.
 */
export function carryTcp(open: (ears: Ears) => Side, crew: Crew, shared: Shared): void {
  const { tally, limits } = shared;
  if (tally.connections.open >= limits.maxConnections) {
    tally.refused += 1;
    open(DEAF).reset();
    return;
  }
  tally.connections.total += 1;
  tally.connections.open += 1;
  let tried = NONE;
  let target: Target | undefined;
  let task: Side | undefined;
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
    giveUp: () => task?.close(),
    end() {
      if (stands) client.reset();
      if (task && stands) task.reset();
      if (task && !stands) task.close(); // nothing was sent yet: another task may have it
    },
    keepAlive(ms) {
      client.setKeepAlive(ms);
      task?.setKeepAlive(ms);
    },
  };

  const taskEars: Ears = {
    joined: join,
    heard: hearTask,
    ended() {
      hasTaskEnded = true;
      if (hasClientEnded) finish();
      else client.end();
    },
    drained() {
      if (!isClientHeld) return;
      isClientHeld = false;
      client.read();
    },
    gone: part,
  };

  const client = open({
    joined() {},
    heard: hearClient,
    ended() {
      hasClientEnded = true;
      if (hasTaskEnded) finish();
      else task?.end();
    },
    drained() {
      if (!isTaskHeld) return;
      isTaskHeld = false;
      task?.read();
    },
    gone() {
      isClientGone = true;
      if (!task) leave();
      else if (!stands) task.close();
      else if (!hasClientEnded || !hasTaskEnded) task.reset();
    },
  });
  // Asking for it costs a system call.
  const name = crew.isByClient ? (client.ends()?.source ?? "") : "";
  tryNext();

  function tryNext(): void {
    target = tried.length < limits.tries ? crew.pick(name, tried) : undefined;
    if (!target) {
      tally.unserved += 1;
      client.reset();
      return;
    }
    if (tried.length > 0) tally.retries += 1;
    target.flows.add(flow);
    target.given += 1;
    task = shared.carrier.call(target.host, target.port, taskEars);
    shared.connecting.touch(flow);
  }

  function join(): void {
    if (!task || !target) return;
    shared.connecting.delete(flow);
    if (client.isClosed || isItself(task, target)) {
      task.close();
      return;
    }
    const { proxyProtocol } = crew.frontend;
    if (proxyProtocol !== 0) {
      hasHeardClient = true;
      const ends = client.ends();
      if (!ends) {
        task.close(); // the client is gone, and nobody can say who it was
        return;
      }
      task.write(writeProxyHeader(proxyProtocol, ends));
    }
    stands = true;
    shared.standing.touch(flow);
    shared.young.touch(flow);
    client.read();
    task.read();
  }

  function hearClient(octets: Buffer): boolean {
    if (!task) return false;
    tally.octetsUp += octets.length;
    shared.standing.touch(flow);
    // The first that is sent waits for nothing (RFC 896); most connections have no second.
    if (hasHeardClient) task.setNoDelay();
    hasHeardClient = true;
    isClientHeld = !task.write(octets);
    return !isClientHeld;
  }

  function hearTask(octets: Buffer): boolean {
    tally.octetsDown += octets.length;
    shared.standing.touch(flow);
    if (hasHeardTask) client.setNoDelay();
    hasHeardTask = true;
    isTaskHeld = !client.write(octets);
    return !isTaskHeld;
  }

  /** Both have said all. What was sent is sent by closing, too: that spares a shutdown. */
  function finish(): void {
    client.finish();
    task?.finish();
  }

  /** The task is gone. */
  function part(): void {
    task = undefined;
    if (stands && isClientGone) leave();
    if (stands && (!hasClientEnded || !hasTaskEnded)) client.reset();
    if (stands) return;
    shared.connecting.delete(flow);
    target?.flows.delete(flow);
    if (isClientGone) leave();
    if (client.isClosed || !target) return;
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
  function isItself(side: Side, { port }: Target): boolean {
    const ends = port >= shared.firstCallingPort ? side.ends() : undefined;
    return ends !== undefined && ends.destinationPort === port && ends.destination === ends.source;
  }
}
