import { RotaError } from "../../base/error.ts";
import { type Address, familyOf, formatAddress, isInside } from "../../model/address.ts";
import { changedBetween } from "../layers.ts";
import type { Backend, Frontend, PlaneService, PlaneState } from "../plane.ts";
import type { Run } from "../command.ts";
import { type Flow, listFlows } from "./flow.ts";

/** All flows of one frontend with a task that is gone or down. */
export interface Ending {
  readonly protocol: "tcp" | "udp";
  /** The VIP; undefined: any address of the machine. */
  readonly to: Address | undefined;
  /** Undefined: all. */
  readonly port: number | undefined;
  readonly task: Address;
  readonly taskPort: number | undefined;
}

/** Beyond so many it is cheaper to see first which have any flows. */
const FEW = 8;

/** What the change from one service to the other ends: flows that drain are left alone. */
export function endings(old: PlaneService | undefined, now: PlaneService | undefined): readonly Ending[] {
  if (old === undefined || old === now) return [];
  const kept = new Set(now?.frontends.flatMap(endingsOf).map(keyOf));
  return old.frontends.flatMap(endingsOf).filter((ending) => !kept.has(keyOf(ending)));
}

/** Those that the frontend would have, were it gone. */
function endingsOf(frontend: Frontend): readonly Ending[] {
  return frontend.backends
    .filter(({ duty }) => duty !== "down")
    .flatMap((backend) => endingsOfBackend(frontend, backend));
}

function endingsOfBackend(frontend: Frontend, { address, port }: Backend): readonly Ending[] {
  const protocols = frontend.protocol === "any" ? (["tcp", "udp"] as const) : [frontend.protocol];
  return protocols.map((protocol) => ({
    protocol,
    to: frontend.kind === "vip" ? frontend.vip : undefined,
    port: frontend.port,
    task: address,
    taskPort: port ?? frontend.port,
  }));
}

/**
 * Ends, from one state to the next, the flows to tasks that are gone or down; at first, and after a failure, all that lead where
 * the state does not. Resolves with what is not done, in sentences.
 *
 * `programmed` settles when new flows go where the state says, and is awaited: before that, none may be ended.
 */
export function createFlowEnder(
  run: Run,
): (
  old: PlaneState | undefined,
  now: PlaneState,
  own: ReadonlySet<Address>,
  programmed: Promise<void>,
) => Promise<readonly string[]> {
  let isKnown = false;
  return async (old, now, own, programmed) => {
    try {
      const isFirst = old === undefined || !isKnown;
      const ended = isFirst ? [] : endingsBetween(old, now);
      // What is to be run then takes some milliseconds to start.
      const ending = isFirst || ended.length > FEW ? undefined : forget(run, ended, programmed);
      ending?.catch(() => {}); // if nothing is programmed, that is what is told
      await programmed;
      await (ending ?? (isFirst ? endStrays(run, now, own) : endFlows(run, ended)));
      isKnown = true;
      return [];
    } catch (error) {
      if (!(error instanceof RotaError) || error.code !== "ERR_ROTA_PLANE") throw error;
      isKnown = false;
      return [
        `flows to tasks that are gone are not ended, so that UDP clients stay with them: ${error.message}`,
      ];
    }
  };
}

function endingsBetween(old: PlaneState, now: PlaneState): readonly Ending[] {
  return changedBetween(old.services, now.services).flatMap((id) =>
    endings(old.services.get(id), now.services.get(id)),
  );
}

/**
 * Ends those flows: whoever waits there is to hear of it. A UDP client's next datagram goes to another task; of TCP what
 * comes next is nobody's, and is reset. (Deleted from conntrack; nothing else forgets where a flow was led to.)
 */
async function endFlows(run: Run, ended: readonly Ending[]): Promise<void> {
  const byKey = new Map(ended.map((ending) => [keyOf(ending), ending]));
  const found = new Set<Ending>();
  for (const flow of await listFlows(run)) {
    for (const key of keysOf(flow)) {
      const ending = byKey.get(key);
      if (ending !== undefined) found.add(ending);
    }
  }
  return forget(run, [...found]);
}

/** Ends flows that whoever was here before has left: to what the state has, and to tasks that it does not have there. */
async function endStrays(run: Run, state: PlaneState, own: ReadonlySet<Address>): Promise<void> {
  const flows = await listFlows(run);
  if (flows.length === 0) return; // as on a machine that has just started: what is kept of none needs not be known
  const fronts = new Set<string>();
  const kept = new Set<string>();
  const vips = new Set<Address>();
  for (const { frontends } of state.services.values()) {
    for (const frontend of frontends) {
      if (frontend.kind === "vip") vips.add(frontend.vip);
      fronts.add(`${frontend.kind === "vip" ? frontend.vip : ""} ${frontend.port}`);
      for (const ending of endingsOf(frontend)) kept.add(keyOf(ending));
    }
  }
  const strays = new Map<string, Ending>();
  for (const flow of flows) {
    const isOurs =
      vips.has(flow.to) ||
      state.pools.some((pool) => isInside(pool, flow.to)) ||
      (own.has(flow.to) && fronts.has(` ${flow.port}`));
    if (!isOurs || keysOf(flow).some((key) => kept.has(key))) continue;
    const { protocol, to, port, task, taskPort } = flow;
    const stray = { protocol, to, port, task, taskPort };
    strays.set(keyOf(stray), stray);
  }
  await forget(run, [...strays.values()]);
}

/** Each is a pass over the whole table, all of them one process. */
async function forget(run: Run, ended: readonly Ending[], after?: Promise<void>): Promise<void> {
  if (ended.length === 0) return;
  const text = ended.map((ending) => `${wordsOf(ending).join(" ")}\n`).join("");
  const input = after === undefined ? text : after.then(() => text);
  // It opens its input anew, which cannot be done with what Node makes for that: a socket.
  const wrapper = ["sh", "-c", 'cat | "$@"', "sh"];
  await run("conntrack", ["-R", "-"], { input, wrapper, limitMs: 60_000 });
}

function wordsOf({ protocol, to, port, task, taskPort }: Ending): string[] {
  const family = familyOf(task) === 4 ? "ipv4" : "ipv6";
  const words = ["-D", "-f", family, "-p", protocol, "--reply-src", formatAddress(task)];
  // Whoever asks a task itself at the same port is none of ours.
  words.push(...(to === undefined ? ["--dst-nat"] : ["--orig-dst", formatAddress(to)]));
  if (port !== undefined) words.push("--orig-port-dst", String(port));
  if (taskPort !== undefined) words.push("--reply-port-src", String(taskPort));
  return words;
}

function keyOf({ protocol, to, port, task, taskPort }: Ending): string {
  return [protocol, to ?? "", port ?? "", task, taskPort ?? ""].join(" ");
}

/** The keys of what is of the backend, as {@link keysOf} has them. */
export function keysOfBackend(frontend: Frontend, backend: Backend): readonly string[] {
  return endingsOfBackend(frontend, backend).map(keyOf);
}

/** The keys of what a flow may be of: a VIP's port, all of its ports, a published port. */
export function keysOf({ protocol, to, port, task, taskPort }: Flow): readonly string[] {
  return [
    keyOf({ protocol, to, port, task, taskPort }),
    keyOf({ protocol, to, port: undefined, task, taskPort: undefined }),
    keyOf({ protocol, to: undefined, port, task, taskPort }),
  ];
}
