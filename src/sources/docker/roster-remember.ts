import { isSameList } from "../../base/compare.ts";
import type { Warn } from "./roster-text.ts";

/**
 * `make`, which works a value out once: as long as it is given the same objects, it gives the same one again, and warns
 * of what it warned of then. An engine's snapshot shares with the one before all that did not change; so what is made
 * of it step by step in this way costs as much as what did.
 *
 * @param make depends on nothing but its inputs, and is remembered by the first: one set of inputs for each
 */
export function remember<Inputs extends readonly [object, ...unknown[]], Value>(
  make: (inputs: Inputs, warn: Warn) => Value,
): (inputs: Inputs, warn: Warn) => Value {
  const known = new WeakMap<object, Made<Value>>();
  return (inputs, warn) => {
    const [key] = inputs;
    let made = known.get(key);
    if (!made || !isSameList<unknown>(made.inputs, inputs)) {
      const warnings: Parameters<Warn>[] = [];
      const value = make(inputs, (...warning) => void warnings.push(warning));
      made = { inputs, value, warnings };
      known.set(key, made);
    }
    for (const warning of made.warnings) warn(...warning);
    return made.value;
  };
}

interface Made<Value> {
  readonly inputs: readonly unknown[];
  readonly value: Value;
  readonly warnings: readonly Parameters<Warn>[];
}
