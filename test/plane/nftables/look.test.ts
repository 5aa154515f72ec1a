import { expect, test } from "vitest";
import { RotaError } from "../../../src/base/error.ts";
import { look } from "../../../src/plane/nftables/look.ts";
import { render } from "../../../src/plane/nftables/ruleset.ts";
import { OPEN_TERRAIN } from "../../../src/plane/nftables/terrain.ts";
import { EMPTY_STATE } from "../../../src/plane/plane.ts";

const RULESET = render(EMPTY_STATE, OPEN_TERRAIN);

/** Runs programs of which each fails so. */
const failing = (message: string) => async (): Promise<string> => {
  throw new RotaError("ERR_ROTA_PLANE", message);
};

test("a table that somebody took away has nothing in it", async () => {
  const sight = await look(failing("nft failed: Error: No such file or directory"), EMPTY_STATE, RULESET);
  expect(sight).toMatchObject({ services: [], strangers: [] });
});

test("what cannot be read is told, and not taken for empty", async () => {
  const run = failing("nft failed: Operation not permitted");
  await expect(look(run, EMPTY_STATE, RULESET)).rejects.toThrow("Operation not permitted");
});
