import { expect, test } from "vitest";
import { boundsOf } from "./spread.ts";

test.each([
  // One success has the chance 2^-30 at least to be all of them, or none: about 1e-9, and no false alarm.
  [30, 0.5, 0, 30],
  // 2^-34 is less than 1e-10.
  [34, 0.5, 1, 33],
  [400, 0.25, 49, 158],
])("of %i tries with a chance of %f, at least %i and at most %i succeed", (count, chance, least, most) => {
  expect(boundsOf(count, chance)).toEqual([least, most]);
});
