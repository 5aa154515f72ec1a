import { describe, expect, test } from "vitest";
import { expand } from "../../src/sources/expand.ts";

const env = { HOST: "10.0.0.1", EMPTY: "", NESTED: "${HOST}" };

describe("a variable", () => {
  test.each([
    ["${HOST}", "10.0.0.1"],
    ["${HOST}:80", "10.0.0.1:80"],
    ["${HOST:-other}", "10.0.0.1"],
    ["${NONE:-other}", "other"],
    ["${NONE:-}", ""],
    ["${NONE:-a-b:c d}", "a-b:c d"],
    ["${EMPTY}", ""],
    ["${EMPTY:-other}", "other"],
    ["$$", "$"],
    ["$${HOST}", "${HOST}"],
    ["$$$$", "$$"],
    ["US$5, 5$", "US$5, 5$"],
    ["${NESTED}", "${HOST}"],
  ])("in %s comes out as %s", (text, expected) => {
    expect(expand(text, env)).toBe(expected);
  });

  test.each([
    ["${NONE}", "variable NONE is not set: set it, or write ${NONE:-default}"],
    ["$HOST", "$HOST is not understood: write ${VAR} or ${VAR:-default}, and $$ for a dollar sign"],
    ["${HOST", "${HOST is not understood: write ${VAR} or ${VAR:-default}, and $$ for a dollar sign"],
    ["${}", "${} is not understood: write ${VAR} or ${VAR:-default}, and $$ for a dollar sign"],
    ["${A B}", "${A B} is not understood: write ${VAR} or ${VAR:-default}, and $$ for a dollar sign"],
    [
      "${NONE:?why}",
      "${NONE:?why} is not understood: write ${VAR} or ${VAR:-default}, and $$ for a dollar sign",
    ],
    [
      "${NONE:-${HOST}}",
      "${NONE:-${HOST} is not understood: write ${VAR} or ${VAR:-default}, and $$ for a dollar sign",
    ],
  ])("written %s is refused", (text, message) => {
    expect(() => expand(text, env)).toThrow(
      expect.objectContaining({ code: "ERR_ROTA_SERVICES_FILE", message }),
    );
  });
});
