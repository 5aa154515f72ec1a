import { describe, expect, test } from "vitest";
import { expand } from "../../src/sources/expand.ts";

const env = {
  HOST: "10.0.0.1",
  EMPTY: "",
  NESTED: "${HOST}",
  ROTA_PORT: "tcp://10.96.0.1:53",
  ROTA_PORTS: "80",
};

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
    ["$${ROTA_ADDRESS}:$$ROTA_PORT", "${ROTA_ADDRESS}:$ROTA_PORT"],
    ["${ROTA_PORTS}", "80"],
    ["${ROTA_ADDRESS_2:-none}", "none"],
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

  // Of ROTA_PORT, the environment has one.
  test.each(
    ["SERVICE", "TASK", "ADDRESS", "PORT"].flatMap((word) => [
      `$ROTA_${word}`,
      `\${ROTA_${word}}`,
      `\${ROTA_${word}:-80}`,
      `\${ROTA_${word}%:*}`,
    ]),
  )("written %s is refused, as only the command of a check is told it", (written) => {
    const message = `write $${written} in text for a shell: the check's command is told it, not this file`;
    expect(() => expand(`nc -z ${written} 80`, env)).toThrow(
      expect.objectContaining({ code: "ERR_ROTA_SERVICES_FILE", message }),
    );
  });
});
