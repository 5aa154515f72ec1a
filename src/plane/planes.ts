import { messageOf, RotaError } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import { checkIpvs } from "./ipvs/check.ts";
import { createIpvsPlane } from "./ipvs/ipvs.ts";
import { checkNftables } from "./nftables/check.ts";
import { createNftablesPlane } from "./nftables/nftables.ts";
import type { Frontend, Plane, PlaneKind, PlaneState, Report, Sight, Trouble } from "./plane.ts";
import { createReturnPath, type ReturnPath } from "./mesh/return-path.ts";
import { type Namespaces, systemNamespaces } from "./namespace.ts";
import { createPlacements } from "./placements.ts";
import { claimSole } from "./sole.ts";
import { createSplit } from "./split.ts";
import { createUserspacePlane } from "./userspace/userspace.ts";

export const PLANE_CHOICES = ["auto", "none", "userspace", "nftables", "ipvs"] as const;

/** `auto`: nftables where it can be had, which takes root on Linux, and beside it userspace. */
export type PlaneChoice = (typeof PLANE_CHOICES)[number];

/** What a machine's planes are brought to. */
export interface PlanesState extends PlaneState {
  /** The network namespaces to place it in as well, by path: each with the networks that are seen there; undefined: all. */
  readonly namespaces: ReadonlyMap<string, ReadonlySet<string> | undefined>;
}

/** All planes of a machine as one: which carries what is decided here. */
export interface Planes extends AsyncDisposable {
  /** As {@link Plane.apply}, but never rejects: what could not be done is in the report. */
  apply(state: PlanesState): Promise<Report>;
  look(): Promise<readonly Sight[]>;
}

export interface PlanesOptions {
  readonly choice: PlaneChoice;
  /** Whether what was programmed in the kernel is taken back at the end; else traffic goes on. */
  readonly isCleanup: boolean;
  readonly log: Log;
}

/** Where planes come from. */
export interface PlaneMakers {
  readonly make: (kind: PlaneKind, options: MakeOptions) => Plane;
  /** What sends replies back by the node that the client came to, beside a plane of the kernel's. */
  readonly makeReturnPath: (options: MakeOptions) => ReturnPath;
  /** Why planes of a kind cannot be had here, as a sentence; undefined: they can. */
  readonly check: (kind: PlaneKind, signal: AbortSignal) => Promise<string | undefined>;
  readonly namespaces: Namespaces;
  /** Claims what the kernel has of planes for this process; `taken`: another has it. */
  readonly claim: () => Promise<AsyncDisposable | "taken">;
}

export interface MakeOptions {
  readonly log: Log;
  readonly isCleanup: boolean;
  /** The path of the network namespace to be in; undefined: that of this process. */
  readonly netns?: string;
}

export function createPlanes(options: PlanesOptions, makers: PlaneMakers = MAKERS): Planes {
  const { choice, log } = options;
  const { check, make } = makers;
  const split = createSplit();
  const common: MakeOptions = { log, isCleanup: options.isCleanup };
  const placements = createPlacements((netns) => make("nftables", { ...common, netns }), makers.namespaces);
  const closing = new AbortController();
  const process = choice === "none" ? undefined : make("userspace", common);
  let kernel: Plane | undefined;
  let returnPath: ReturnPath | undefined;
  /** Why there is none though it was asked for. */
  let kernelTrouble: Trouble | undefined;
  let isSettled = false;
  /** That nobody else programs the kernel. */
  let sole: AsyncDisposable | undefined;

  return {
    async apply(state) {
      if (!process || closing.signal.aborted) return { carried: 0, troubles: [] };
      try {
        await tryKernel(state);
      } catch (error) {
        return nothing(error);
      }
      if (!kernel) return join([await attempt(process, state), await placements.apply(state)]);
      const own = await attempt(process, split.process(state));
      // A port that somebody else has stays his: to forward it would take it from under him.
      const taken = own.troubles.flatMap(({ frontend }) => (frontend?.kind === "published" ? frontend : []));
      const its = split.kernel(state, new Set<Frontend>(taken));
      const back = await showTheWayBack(state);
      return join([
        await claimKernel(),
        own,
        back,
        await attempt(kernel, its),
        await placements.apply(state),
      ]);
    },
    async look() {
      const planes = [process, kernel].filter((plane) => plane !== undefined);
      return [
        ...(await Promise.all(planes.map(async (plane) => plane.look()))),
        ...(await placements.look()),
      ];
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new RotaError("ERR_ROTA_CLOSED", "the planes were closed"));
      // What one cannot take back must not leave the next as it is.
      const ends = [placements, returnPath, kernel, process, sole].map(async (one) =>
        one?.[Symbol.asyncDispose](),
      );
      for (const end of await Promise.allSettled(ends)) if (end.status === "rejected") throw end.reason;
    },
  };

  /**
   * Once there is something for it: a machine on which nothing is to be forwarded is left as it is. Who asked for it
   * gets it as soon as it can be had.
   */
  async function tryKernel(state: PlanesState): Promise<void> {
    if (isSettled || choice === "userspace" || choice === "none") return;
    if (choice === "auto" && split.kernel(state).services.size === 0) return;
    const kind = choice === "auto" ? "nftables" : choice;
    const why = await check(kind, closing.signal);
    closing.signal.throwIfAborted();
    isSettled = why === undefined || choice === "auto";
    kernelTrouble = undefined;
    if (why === undefined) {
      kernel = make(kind, common);
      return;
    }
    if (choice === "auto") log.info({ plane: "userspace" }, `nftables is not used: ${why}`);
    else kernelTrouble = { service: undefined, message: `could not use the plane ${kind}: ${why}` };
  }

  /** Tried again each time: the other may be the one before, which is about to end. */
  async function claimKernel(): Promise<Report> {
    if (sole) return { carried: 0, troubles: [] };
    const claimed = await makers.claim();
    if (claimed === "taken") return nothing(NOT_SOLE);
    if (closing.signal.aborted) await claimed[Symbol.asyncDispose]();
    else sole = claimed;
    return { carried: 0, troubles: [] };
  }

  /** Before anything is sent to another node. It takes nft, which ipvs does without where there is no other node. */
  async function showTheWayBack({ peers }: PlaneState): Promise<Report> {
    if (kernel?.kind === "nftables" || peers.size > 0) returnPath ??= makers.makeReturnPath(common);
    try {
      return { carried: 0, troubles: (await returnPath?.apply(peers)) ?? [] };
    } catch (error) {
      return nothing(error);
    }
  }

  function join(reports: readonly Report[]): Report {
    const troubles = reports.flatMap((report) => report.troubles);
    const carried = reports.reduce((sum, report) => sum + report.carried, 0);
    return { carried, troubles: kernelTrouble ? [kernelTrouble, ...troubles] : troubles };
  }
}

async function attempt(plane: Plane, state: PlaneState): Promise<Report> {
  try {
    return await plane.apply(state);
  } catch (error) {
    return nothing(error);
  }
}

function nothing(error: unknown): Report {
  return { carried: 0, troubles: [{ service: undefined, message: messageOf(error) }] };
}

const NOT_SOLE = new RotaError(
  "ERR_ROTA_PLANE",
  "another Rota programs the kernel here, too, and each takes away what the other has put there: end one of them, or give it --plane userspace",
);

const MAKERS: PlaneMakers = {
  claim: async () => claimSole("rota-plane"),
  makeReturnPath: ({ log, isCleanup }) => {
    const onChange = (troubles: readonly Trouble[]): void => {
      for (const { message } of troubles) log.warn({ plane: "nftables" }, message);
    };
    return createReturnPath({ log, isCleanup, onChange });
  },
  make(kind, options) {
    switch (kind) {
      case "userspace":
        return createUserspacePlane(options);
      case "nftables":
        return createNftablesPlane(options);
      case "ipvs":
        return createIpvsPlane(options);
    }
  },
  namespaces: systemNamespaces,
  async check(kind, signal) {
    switch (kind) {
      case "userspace":
        return undefined;
      case "nftables":
        return checkNftables({ signal });
      case "ipvs":
        return checkIpvs();
    }
  },
};
