import type { Prefix } from "../model/name.ts";
import type { Service } from "./service.ts";

/** What one change has touched so far. */
export interface Batch<Entry> {
  /** The services touched, as they were. */
  readonly touched: Map<string, Service | undefined>;
  readonly wantsVip: Set<Entry>;
  readonly wantsPorts: Set<Entry>;
  readonly contested: Set<Prefix>;
  isSettings: boolean;
  /** Whether an address is another's now, which touches no service. */
  isAddressMoved: boolean;
  touch(id: string, before: Service | undefined): void;
}

export function createBatch<Entry>(): Batch<Entry> {
  const touched = new Map<string, Service | undefined>();
  return {
    touched,
    wantsVip: new Set(),
    wantsPorts: new Set(),
    contested: new Set(),
    isSettings: false,
    isAddressMoved: false,
    touch(id, before) {
      if (!touched.has(id)) touched.set(id, before);
    },
  };
}
