import { messageOf } from "../base/error.ts";
import type { Log } from "../base/log.ts";
import { createScope } from "../base/scope.ts";
import { checkIpvs } from "./ipvs/check.ts";
import { createIpvsPlane } from "./ipvs/ipvs.ts";
import { checkNftables } from "./nftables/check.ts";
import { createNftablesPlane } from "./nftables/nftables.ts";
import type { Frontend, Plane, PlaneKind, PlaneState, Report, Sight, Trouble } from "./plane.ts";
import { createReturnPath, type ReturnPath } from "./mesh/return-path.ts";
import { createPlacements } from "./placements.ts";
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
  readonly check: (kind: PlaneKind) => Promise<string | undefined>;
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
  const scope = createScope();
  const process = choice === "none" ? undefined : scope.use(make("userspace", common));
  const placements = scope.use(createPlacements((netns) => make("nftables", { ...common, netns })));
  let kernel: Plane | undefined;
  let returnPath: ReturnPath | undefined;
  /** Why there is none though it was asked for. */
  let kernelTrouble: Trouble | undefined;
  let isSettled = false;

  return {
    async apply(state) {
      if (!process) return { carried: 0, troubles: [] };
      await tryKernel(state);
      if (!kernel) return join([await attempt(process, state), await placements.apply(state)]);
      const { process: mine } = split(state, new Set());
      const own = await attempt(process, mine);
      // A port that somebody else has stays his: to forward it would take it from under him.
      const taken = own.troubles.flatMap(({ frontend }) => (frontend?.kind === "published" ? frontend : []));
      const { kernel: its } = split(state, new Set<Frontend>(taken));
      const back = await showTheWayBack(state);
      return join([own, back, await attempt(kernel, its), await placements.apply(state)]);
    },
    async look() {
      const planes = [process, kernel].filter((plane) => plane !== undefined);
      return [
        ...(await Promise.all(planes.map(async (plane) => plane.look()))),
        ...(await placements.look()),
      ];
    },
    [Symbol.asyncDispose]: async () => scope[Symbol.asyncDispose](),
  };

  /**
   * Once there is something for it: a machine on which nothing is to be forwarded is left as it is. Who asked for it
   * gets it as soon as it can be had.
   */
  async function tryKernel(state: PlanesState): Promise<void> {
    if (isSettled || choice === "userspace" || choice === "none") return;
    if (choice === "auto" && split(state, new Set()).kernel.services.size === 0) return;
    const kind = choice === "auto" ? "nftables" : choice;
    const why = await check(kind);
    isSettled = why === undefined || choice === "auto";
    kernelTrouble = undefined;
    if (why === undefined) {
      kernel = scope.use(make(kind, common));
      return;
    }
    if (choice === "auto") log.info({ plane: "userspace" }, `nftables is not used: ${why}`);
    else kernelTrouble = { service: undefined, message: `could not use the plane ${kind}: ${why}` };
  }

  /** Before anything is sent to another node. It takes nft, which ipvs does without where there is no other node. */
  async function showTheWayBack({ peers }: PlaneState): Promise<Report> {
    if (kernel?.kind === "nftables" || peers.size > 0)
      returnPath ??= scope.use(makers.makeReturnPath(common));
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

const MAKERS: PlaneMakers = {
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
  async check(kind) {
    switch (kind) {
      case "userspace":
        return undefined;
      case "nftables":
        return checkNftables();
      case "ipvs":
        return checkIpvs();
    }
  },
};
