import { createSocket, type Socket } from "node:dgram";
import { isIPv6 } from "node:net";
import { systemCodeOf } from "../../base/error.ts";
import type { Crew } from "./crew.ts";
import type { Flow } from "./flow.ts";
import type { Shared } from "./shared.ts";
import type { Target } from "./target.ts";

/** What one client sends from one port, and what its task sends back. */
export interface UdpFlow extends Flow {
  send(octets: Uint8Array): void;
}

export interface UdpClient {
  reply(octets: Uint8Array): void;
  /** Called once: what comes now is of another flow. */
  ended(): void;
}

/** What may wait while the socket to the task is being made, which takes one turn of the event loop. */
const MAX_WAITING = 16;
const MAX_WAITING_OCTETS = 64 * 1024;

export function openUdpFlow(crew: Crew, name: string, shared: Shared, client: UdpClient): UdpFlow {
  const { tally, limits } = shared;
  let tried: readonly Target[] = [];
  let target: Target | undefined;
  let task: Socket | undefined;
  let isConnected = false;
  let isOver = false;
  let hasAnswered = false;
  let waiting: Uint8Array[] = [];
  let waitingOctets = 0;
  /** The only one so far, as long as it is not answered: another task may still have it. */
  let first: Uint8Array | undefined;
  let sent = 0;

  const flow: UdpFlow = {
    send(octets) {
      shared.udp.touch(flow);
      tally.octetsUp += octets.length;
      if (isConnected) return pass(octets);
      if (waiting.length >= MAX_WAITING || waitingOctets + octets.length > MAX_WAITING_OCTETS) {
        tally.dropped += 1;
        return;
      }
      waiting.push(octets);
      waitingOctets += octets.length;
    },
    end,
  };
  tally.flows.total += 1;
  tally.flows.open += 1;
  shared.udp.touch(flow);
  tryNext();
  return flow;

  function tryNext(): void {
    const next = tried.length < limits.tries ? crew.pick(name, tried) : undefined;
    if (!next) {
      tally.unserved += 1;
      tally.dropped += waiting.length;
      end();
      return;
    }
    if (tried.length > 0) tally.retries += 1;
    target = next;
    next.flows.add(flow);
    next.given += 1;
    const socket = createSocket(isIPv6(next.host) ? "udp6" : "udp4");
    task = socket;
    socket.on("error", fail);
    socket.on("message", (octets) => {
      hasAnswered = true;
      first = undefined;
      tally.octetsDown += octets.length;
      shared.udp.touch(flow);
      client.reply(octets);
    });
    socket.on("connect", () => {
      isConnected = true;
      const now = waiting;
      waiting = [];
      waitingOctets = 0;
      for (const octets of now) if (isConnected) pass(octets);
    });
    socket.connect(next.port, next.host);
  }

  function pass(octets: Uint8Array): void {
    sent += 1;
    first = sent === 1 ? octets : undefined;
    const socket = task;
    socket?.send(octets, (error) => {
      if (!error) return;
      tally.dropped += 1;
      // The refusal of one before, which the system tells with the next; what is too large is not the task's fault.
      if (systemCodeOf(error) === "ECONNREFUSED" && socket === task) fail();
    });
  }

  /** The task's side says that nobody is there. */
  function fail(): void {
    tally.failures += 1;
    const again = hasAnswered || sent > 1 ? undefined : first;
    if ((!again && waiting.length === 0) || !target) {
      end();
      return;
    }
    target.flows.delete(flow);
    tried = [...tried, target];
    task?.close();
    task = undefined;
    isConnected = false;
    sent = 0;
    if (again) waiting.unshift(again);
    tryNext();
  }

  function end(): void {
    if (isOver) return;
    isOver = true;
    isConnected = false;
    tally.flows.open -= 1;
    shared.udp.delete(flow);
    target?.flows.delete(flow);
    task?.close();
    client.ended();
  }
}
