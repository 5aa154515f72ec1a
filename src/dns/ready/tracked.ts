import { cutsOf, joinPrefix, type Prefix } from "../../model/name.ts";
import { type View, WHOLE_VIEW } from "../../model/view.ts";
import { cellOf, EVERYTHING, SERIAL, sumOf } from "../../registry/pulse.ts";
import { type Registry, standKey } from "../../registry/registry.ts";
import type { Readable } from "../kinds.ts";
import type { Grounds } from "./mail.ts";

/** A registry that notes what is read of it. */
export interface Tracked {
  readonly registry: Readable;
  /** Runs something that reads, and says what the outcome hangs on. */
  watch<T>(read: () => T): { readonly value: T; readonly grounds: Grounds };
  /** Whether what was watched last found a service. */
  hasFound(): boolean;
}

export function trackReads(registry: Registry): Tracked {
  let cells = new Set<number>();
  let hasFound = false;

  return {
    registry: {
      // Whoever tells it has it changed as it leaves: it is no ground.
      get serial() {
        return registry.serial;
      },
      get settings() {
        return registry.settings;
      },
      get isWhole() {
        return registry.isWhole;
      },
      find(name, view = WHOLE_VIEW) {
        note(name, view);
        const found = registry.find(name, view);
        // Nothing at the name itself: then what a network's name was cut off counted as well.
        if (!found || found === "below" || found.suffix !== "")
          for (const { front } of cutsOf(name)) note(front, view);
        if (!found || found === "below") return found;
        cells.add(cellOf(found.service.id));
        hasFound = true;
        return found;
      },
      // Whose an address is, VIPs and subnets included, changes with too much to name it.
      findAddress(address, view) {
        cells.add(SERIAL);
        // Of several that stand there another may come first on one network, with no service touched.
        cells.add(cellOf(standKey(address)));
        return registry.findAddress(address, view);
      },
      findSubnet(address, length) {
        cells.add(SERIAL);
        return registry.findSubnet(address, length);
      },
    },
    watch(read) {
      cells = new Set([EVERYTHING]);
      hasFound = false;
      const value = read();
      const noted = Uint32Array.from(cells);
      return { value, grounds: { cells: noted, sum: sumOf(registry.pulse, noted) } };
    },
    hasFound: () => hasFound,
  };

  function note(name: Prefix, { namespace }: View): void {
    if (name === "") return;
    cells.add(cellOf(name));
    if (namespace !== "") cells.add(cellOf(joinPrefix(name, namespace)));
  }
}
