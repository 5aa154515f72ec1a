import * as fc from "fast-check";
import { expect, test } from "vitest";
import { isComposeFile, parseComposeFile, parseComposeNetworks } from "../../src/schema/compose.ts";

const TERMS = { env: {}, folder: "shop" };
const WORDS =
  "name services networks x-rota include web front default image deploy labels ports expose hostname healthcheck " +
  "network_mode aliases ipam config subnet test endpoint_mode vips external target rota.port.http rota.a.b rota.a " +
  "__proto__ constructor";

const words = fc.constantFrom(...WORDS.split(" "));
const leaf = fc.oneof(
  fc.constantFrom(null, true, "", "80:80", "1-2:3-4/udp", "10.0.0.0/24", "vip", "front", "rota.ttl=5", 80),
  fc.string(),
  fc.integer(),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium", withCrossShrink: true },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(words, tie("value"), { maxKeys: 4 }),
  ),
}));
const service = fc.dictionary(words, value, { maxKeys: 6 });
const file = fc.record({ services: fc.dictionary(words, service), networks: fc.dictionary(words, value) });

test("whatever stands in a Compose file, it is read or refused with a reason", () => {
  fc.assert(
    fc.property(fc.oneof(value, file), (written) => {
      isComposeFile("compose.yaml", written);
      parseComposeNetworks(written, TERMS);
      const parsed = parseComposeFile(written, () => "", TERMS);
      if (!parsed.ok) expect(parsed.problems).not.toEqual([]);
    }),
    { numRuns: 500 },
  );
});
