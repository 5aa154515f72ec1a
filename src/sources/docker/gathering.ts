import type { Ring } from "./events.ts";

/** What rang since somebody looked, to be looked at in one go. */
export interface Gathering {
  add(ring: Ring): void;
  /** The Swarm's tasks are to be asked for again, since nobody rings for those of other nodes. */
  poll(): void;
  /** What has gathered; from now on another is gathering. */
  take(): Gathered;
}

export interface Gathered {
  readonly isEverything: boolean;
  readonly isNetworks: boolean;
  /** `tasks`: if it manages a Swarm; `whole`: whether it does is to be asked again, too. */
  readonly swarm: "no" | "tasks" | "whole";
  readonly containers: ReadonlySet<string>;
  /** The signals that containers were sent in their present runs. */
  readonly signals: ReadonlyMap<string, ReadonlySet<number>>;
  /** Containers of which a run has ended. */
  readonly ended: ReadonlySet<string>;
}

/** More than this, and one look at everything is less work. */
const MAX_CONTAINERS = 1000;

export function createGathering(): Gathering {
  let isEverything = false;
  let isNetworks = false;
  let swarm: Gathered["swarm"] = "no";
  let containers = new Set<string>();
  let signals = new Map<string, ReadonlySet<number>>();
  let ended = new Set<string>();

  return {
    add(ring) {
      switch (ring.kind) {
        case "nothing":
          return;
        case "everything":
          isEverything = true;
          return;
        case "networks":
          isNetworks = true;
          return;
        case "swarm":
          swarm = "whole";
          return;
        case "container":
          return note(ring.id);
        case "signalled":
          note(ring.id);
          if (ring.signal !== undefined && containers.has(ring.id))
            signals.set(ring.id, new Set([...(signals.get(ring.id) ?? []), ring.signal]));
          return;
        case "ended":
          note(ring.id);
          signals.delete(ring.id);
          if (containers.has(ring.id)) ended.add(ring.id);
      }
    },
    poll() {
      if (swarm === "no") swarm = "tasks";
    },
    take() {
      const gathered: Gathered = { isEverything, isNetworks, swarm, containers, signals, ended };
      isEverything = false;
      isNetworks = false;
      swarm = "no";
      containers = new Set();
      signals = new Map();
      ended = new Set();
      return gathered;
    },
  };

  function note(id: string): void {
    if (containers.size < MAX_CONTAINERS) containers.add(id);
    else if (!containers.has(id)) isEverything = true;
  }
}
