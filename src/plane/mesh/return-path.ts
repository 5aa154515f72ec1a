import { messageOf, RotaError } from "../../base/error.ts";
import type { Log } from "../../base/log.ts";
import { pause } from "../../base/pause.ts";
import { systemTimers, type Timers } from "../../base/timers.ts";
import type { Address } from "../../model/address.ts";
import { run } from "../command.ts";
import type { PlaneState, Trouble } from "../plane.ts";
import { followNeighbours } from "./neighbours.ts";
import { boundedPeers, type Kept, keptOf, type Path, pathsOf } from "./paths.ts";
import { listTable, programRoutes, readPresent } from "./programming.ts";
import { renderTable } from "./ruleset.ts";
import {
  askNeighbours,
  type Commands,
  lookAround,
  neighboursOf,
  type Surroundings,
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
   * Brings the node to it, from whatever is there. What stands in the way of one peer is a trouble and no other's.
   *
   * @throws RotaError `ERR_ROTA_PLANE`: nothing at all could be done
   */
  apply(peers: PlaneState["peers"]): Promise<ReturnReport>;
}

export interface ReturnReport {
  readonly kept: Kept;
  readonly troubles: readonly Trouble[];
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
   * Hears of what becomes different by itself: a peer answers now, has another network card, is elsewhere.
   * @default ignored
   */
  readonly onChange?: (report: ReturnReport) => void;
}

/** How often it is looked whether everything is still so. */
const LOOK_AGAIN_MS = 30_000;
/** ARP asks thrice, a second apart (`mcast_solicit`, `retrans_time_ms`): a second attempt is waited for, once a peer. */
const WAITS_MS = [10, 40, 150, 400, 700];

export function createReturnPath(options: ReturnPathOptions): ReturnPath {
  const { log, isCleanup, netns, timers = systemTimers, onChange = () => {} } = options;
  const ending = new AbortController();
  const wrapper = netns === undefined ? [] : ["nsenter", `--net=${netns}`];
  const commands: Commands = { wrapper, signal: ending.signal };
  const told = new Set<string>();
  let wanted: PlaneState["peers"] = new Map();
  let report: ReturnReport | undefined;
  let asked: ReadonlySet<Address> = new Set();
  let known: Surroundings["links"] = new Map();
  let listing = "";
  let queue: Promise<unknown> = Promise.resolve();
  let cancel: (() => void) | undefined;
  const neighbours = followNeighbours({ ...commands, timers, log, changed: () => again() });

  async function bring(peers: PlaneState["peers"], using: Commands): Promise<ReturnReport> {
    const present = { 4: await readPresent(4, using), 6: await readPresent(6, using) };
    const addresses = [...boundedPeers(peers).values()].flat();
    const around = await settle(addresses, using);
    const { paths, obstacles } = pathsOf(peers, around);
    const failures = await programRoutes(paths, present, using);
    await programTable(paths, using);
    neighbours.expect(neighboursOf(addresses, around));
    tellRedirects(paths, around);
    const troubles = [...obstacles, ...failures].map((message) => ({ service: undefined, message }));
    return { kept: keptOf(paths), troubles };
  }

  /** What is around, when those that were not asked yet have had the time to answer. */
  async function settle(addresses: readonly Address[], using: Commands): Promise<Surroundings> {
    let around = await look(addresses, using);
    for (const wait of WAITS_MS) {
      const silent = neighboursOf(addresses, around).filter(({ mac }) => mac === undefined);
      await askNeighbours(silent, using);
      if (silent.every(({ address }) => asked.has(address))) break;
      if (!(await pause(timers, wait, using.signal))) break;
      around = await look(addresses, using);
    }
    asked = new Set(addresses);
    return around;
  }

  /** Who has answered once has that card until another answers: while a node boots, its flows keep their way. */
  async function look(addresses: readonly Address[], using: Commands): Promise<Surroundings> {
    const around = withKnown(await lookAround(addresses, using), known);
    known = around.links;
    return around;
  }

  /** Only where it is not there as it was left: each transaction is a bell to whoever watches tables. */
  async function programTable(paths: readonly Path[], using: Commands): Promise<void> {
    const text = renderTable(paths);
    if (listing !== "" && listing === text + (await listTable(using))) return;
    await run("nft", ["-f", "-"], { ...using, input: text });
    listing = text + (await listTable(using));
  }

  function tellRedirects(paths: readonly Path[], around: Surroundings): void {
    for (const { link } of paths) {
      if (!around.links.get(link)?.sendsRedirects || told.has(link)) continue;
      told.add(link);
      log.info(
        { link },
        `${link} tells clients of shorter ways (ICMP redirects), which those that this node answers for must not take: most ignore it; to be sure: sysctl -w net.ipv4.conf.${link}.send_redirects=0 net.ipv4.conf.all.send_redirects=0`,
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
      const before = report;
      report = await bring(wanted, commands);
      if (!isSame(before, report)) onChange(report);
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
        if (report !== undefined && isSame(wanted, peers)) return report;
        report = undefined; // should it fail half way
        wanted = peers;
        try {
          report = await bring(peers, commands);
          return report;
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
      if (isCleanup) await bring(new Map(), { wrapper, signal: new AbortController().signal });
    },
  };
}

function isSame(one: unknown, other: unknown): boolean {
  return one === other || JSON.stringify(one, plain) === JSON.stringify(other, plain);
}

function plain(_key: string, value: unknown): unknown {
  return value instanceof Map || value instanceof Set ? [...value] : value;
}
