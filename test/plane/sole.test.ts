import { expect, test } from "vitest";
import { claimSole } from "../../src/plane/sole.ts";

test("of one name one is the only one, until it is disposed of", async () => {
  const name = `rota-test-${process.pid}`;
  for (const time of ["first", "again"]) {
    const claimed = await claimSole(name);
    if (claimed === "taken") expect.fail(time);
    expect(await claimSole(name)).toBe("taken");
    await claimed[Symbol.asyncDispose]();
  }
});
