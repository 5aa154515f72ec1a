import { describe, expect, test } from "vitest";
import { expandCompose } from "../../src/sources/expand-compose.ts";

const env = { HOST: "10.0.0.1", EMPTY: "", NESTED: "${HOST}", ROTA_PORT: "53" };

/** The text, and behind a bar what is missing. */
function say(text: string): string {
  const expanded = expandCompose(text, env);
  const missing = [...expanded.missing].map(([name, said]) => (said === "" ? name : `${name} (${said})`));
  return [expanded.text, ...missing].join(" | ");
}

describe("a variable of a Compose file", () => {
  test.each([
    ["plain", "plain"],
    ["$HOST", "10.0.0.1"],
    ["${HOST}", "10.0.0.1"],
    ["$HOST:80:${HOST}", "10.0.0.1:80:10.0.0.1"],
    ["$$HOST $${HOST} $$", "$HOST ${HOST} $"],
    ["US$5, 5$", "US$5, 5$"],
    ["${NESTED}", "${HOST}"],
    ["$ROTA_PORT", "53"],
    ["$NONE", " | NONE"],
    ["${NONE}${NONE}x", "x | NONE"],
    ["${EMPTY}", ""],
    ["${HOST:-other}", "10.0.0.1"],
    ["${NONE:-other}", "other"],
    ["${NONE-other}", "other"],
    ["${EMPTY:-other}", "other"],
    ["${EMPTY-other}", ""],
    ["${NONE:-}", ""],
    ["${NONE:-a:-b}", "a:-b"],
    ["${NONE:-$HOST}", "10.0.0.1"],
    ["${NONE:-${EMPTY:-${HOST}}}/x", "10.0.0.1/x"],
    ["${NONE:-{}}", "{}"],
    ["${HOST:+other}", "other"],
    ["${EMPTY:+other}", ""],
    ["${EMPTY+other}", "other"],
    ["${NONE:+$ALSO}", ""],
    ["${HOST:?say it}", "10.0.0.1"],
    ["${NONE:?say it}", " | NONE (say it)"],
    ["${EMPTY:?say it}", " | EMPTY (say it)"],
    ["${EMPTY?say it}", ""],
    ["${NONE?}", " | NONE"],
  ])("in %s comes out as %s", (text, expected) => {
    expect(say(text)).toBe(expected);
  });

  test.each(["${", "${HOST", "${}", "${A B}", "${1}", "${NONE:-${HOST}", "${HOST:x}", "${HOST%x}"])(
    "written %s is refused",
    (text) => {
      expect(() => expandCompose(text, env)).toThrow(
        expect.objectContaining({
          code: "ERR_ROTA_SERVICES_FILE",
          message: expect.stringContaining("is not understood: write ${VAR} or ${VAR:-default}, and $$ for"),
        }),
      );
    },
  );

  test("may stand in another, twenty deep and no deeper", () => {
    const nested = (depth: number): string => `${"${NONE:-".repeat(depth)}x${"}".repeat(depth)}`;
    expect(say(nested(20))).toBe("x");
    expect(() => expandCompose(nested(21), env)).toThrow("variables stand in one another over 20 deep");
    expect(() => expandCompose(nested(50_000), env)).toThrow("over 20 deep");
  });
});
