import { messageOf, RotaError } from "../../base/error.ts";
import type { Log } from "../../base/log.ts";
import { pause } from "../../base/pause.ts";
import { systemTimers, type Timers } from "../../base/timers.ts";
import type { Address } from "../../model/address.ts";
import { type Run, runnerIn } from "../command.ts";
import type { PlaneState, Trouble } from "../plane.ts";
import { followNeighbours } from "./neighbours.ts";
import { boundedPeers, type Path, pathsOf } from "./paths.ts";
import { listTable, programRoutes, readPresent } from "./programming.ts";
import { renderTable } from "./ruleset.ts";
import {
  askNeighbours,
  lookAround,
  neighboursOf,
  type Surroundings,
  sysctlOf,
  withKnown,
} from "./surroundings.ts";

/**
 * Sends the replies to connections that another node sent here back through that node.
 *
 * So a node need not put its own address in place of the client's when it sends one on: it alone knows which
 * address the client asked, and must see the replies. A new connection is marked by whose frame it came in, and
 * what has a mark is routed by a table of its own. Both nodes decide by the same list of nodes whether it is done.
 */
export interface ReturnPath extends AsyncDisposable {
  /**
   * Brings the node to it, from whatever is there. Resolves with what stands in the way of a peer, and is no other's.
   *
   * @throws RotaError `ERR_ROTA_PLANE`: nothing at all could be done
   */
  apply(peers: PlaneState["peers"]): Promise<readonly Trouble[]>;
}

export interface ReturnPathOptions {
  readonly log: Log;
  /** Whether to take everything away at the end; else it stays, for the connections that need it. */
  readonly isCleanup: boolean;
  /**
   * The network namespace to do it in, as `/run/netns/a`.
   * @default this process's own
   */
  readonly netns?: string;
  /** @default the system's */
  readonly timers?: Timers;
  /**
   * Hears of the troubles where they have become others by themselves: a peer answers now, or is elsewhere.
   * @default ignored
   */
  readonly onChange?: (troubles: readonly Trouble[]) => void;
}

/** How often it is looked whether everything is still so. */
const LOOK_AGAIN_MS = 30_000;
/** ARP asks thrice, a second apart (`mcast_solicit`, `retrans_time_ms`): a second attempt is waited for, once a peer. */
const WAITS_MS = [10, 40, 150, 400, 700];

export function createReturnPath(options: ReturnPathOptions): ReturnPath {
  const { log, isCleanup, netns, timers = systemTimers, onChange = () => {} } = options;
  const ending = new AbortController();
  const wrapper = netns === undefined ? [] : ["nsenter", `--net=${netns}`];
  const { signal } = ending;
  const run = runnerIn(wrapper, { signal });
  const told = new Set<string>();
  let wanted: PlaneState["peers"] = new Map();
  let troubles: readonly Trouble[] | undefined;
  let asked: ReadonlySet<Address> = new Set();
  let known: Surroundings["links"] = new Map();
  let listing = "";
  let queue: Promise<unknown> = Promise.resolve();
  let cancel: (() => void) | undefined;
  const neighbours = followNeighbours({ wrapper, signal, timers, log, changed: () => again() });

  async function bring(peers: PlaneState["peers"], by: Run): Promise<readonly Trouble[]> {
    const present = { 4: await readPresent(4, by), 6: await readPresent(6, by) };
    const addresses = [...boundedPeers(peers).values()].flat();
    const around = await settle(addresses, by);
    const { paths, obstacles } = pathsOf(peers, around);
    const failures = await programRoutes(paths, present, by);
    await programTable(paths, by);
    neighbours.expect(neighboursOf(addresses, around));
    tellRedirects(paths, around);
    return [...obstacles, ...failures].map((message) => ({ service: undefined, message }));
  }

  /** What is around, when those that were not asked yet have had the time to answer. */
  async function settle(addresses: readonly Address[], by: Run): Promise<Surroundings> {
    let around = await look(addresses, by);
    for (const wait of WAITS_MS) {
      const silent = neighboursOf(addresses, around).filter(({ mac }) => mac === undefined);
      await askNeighbours(silent, by);
      if (silent.every(({ address }) => asked.has(address))) break;
      if (!(await pause(timers, wait, signal))) break;
      around = await look(addresses, by);
    }
    asked = new Set(addresses);
    return around;
  }

  /** Who has answered once has that card until another answers: while a node boots, its flows keep their way. */
  async function look(addresses: readonly Address[], by: Run): Promise<Surroundings> {
    const around = withKnown(await lookAround(addresses, by), known);
    known = around.links;
    return around;
  }

  /** Only where it is not there as it was left: each transaction is a bell to whoever watches tables. */
  async function programTable(paths: readonly Path[], by: Run): Promise<void> {
    const text = renderTable(paths);
    if (listing !== "" && listing === text + (await listTable(by))) return;
    await by("nft", ["-f", "-"], { input: text });
    listing = text + (await listTable(by));
  }

  function tellRedirects(paths: readonly Path[], around: Surroundings): void {
    for (const { link } of paths) {
      if (!around.links.get(link)?.sendsRedirects || told.has(link)) continue;
      told.add(link);
      log.info(
        { link },
        `${link} tells clients of shorter ways (ICMP redirects), which those that this node answers for must not take: most ignore it; to be sure: sysctl -w ${sysctlOf(link, "send_redirects")}=0 ${sysctlOf("all", "send_redirects")}=0`,
      );
    }
  }

  function inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = queue.then(work);
    queue = done.catch(() => {});
    return done;
  }

  /** Another look, in which failures keep what was. */
  function again(): void {
    void inTurn(async () => {
      if (ending.signal.aborted) return;
      const before = troubles;
      troubles = await bring(wanted, run);
      if (!isSame(before, troubles)) onChange(troubles);
    })
      .catch((error: unknown) => {
        if (!ending.signal.aborted)
          log.warn({}, `could not look after the return paths: ${messageOf(error)}`);
      })
      .finally(arm);
  }

  function arm(): void {
    cancel?.();
    if (wanted.size > 0 && !ending.signal.aborted) cancel = timers.after(LOOK_AGAIN_MS, again);
  }

  return {
    apply: (peers) =>
      inTurn(async () => {
        if (troubles !== undefined && isSame(wanted, peers)) return troubles;
        troubles = undefined; // should it fail half way
        wanted = peers;
        try {
          troubles = await bring(peers, run);
          return troubles;
        } finally {
          arm();
        }
      }),
    async [Symbol.asyncDispose]() {
      cancel?.();
      ending.abort(
        new RotaError("ERR_ROTA_CLOSED", "the return paths are no longer looked after: they were closed"),
      );
      await neighbours[Symbol.asyncDispose]();
      await queue;
      if (isCleanup) await bring(new Map(), runnerIn(wrapper));
    },
  };
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one, plain) === JSON.stringify(other, plain);
}

function plain(_key: string, value: unknown): unknown {
  return value instanceof Map || value instanceof Set ? [...value] : value;
}
