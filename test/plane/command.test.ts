import { expect, test } from "vitest";
import { RotaError } from "../../src/base/error.ts";
import { run, runnerIn } from "../../src/plane/command.ts";
import { testNeeding } from "../needing.ts";

/** Why it was rejected, and by which code. */
async function refusalOf(running: Promise<unknown>): Promise<string> {
  const error = await running.then(
    () => new Error("it was not refused"),
    (thrown: unknown) => thrown,
  );
  return error instanceof RotaError ? `${error.code} ${error.message}` : String(error);
}

test("a program gets its input, and what it prints is the result", async () => {
  expect(await run("tr", ["a-z", "A-Z"], { input: "one\ntwo\n" })).toBe("ONE\nTWO\n");
});

test("input that nobody reads is no failure, however long", async () => {
  expect(await run("echo", ["done"], { input: "x".repeat(4_000_000) })).toBe("done\n");
});

const FAILURES: readonly (readonly [what: string, running: () => Promise<string>, message: string])[] = [
  [
    "that is not installed",
    async () => run("nft", ["list", "ruleset"], { wrapper: ["env", "PATH=/nowhere"] }),
    "nft is not installed: apt-get install nftables",
  ],
  [
    "whose wrapper is not installed",
    async () => run("nft", [], { wrapper: ["rota-no-such-program"] }),
    "rota-no-such-program is not installed",
  ],
  [
    "that complains",
    async () => run("sh", ["-c", "echo; echo first >&2; echo second >&2; exit 3"]),
    "sh failed: first",
  ],
  ["that fails without a word", async () => run("sh", ["-c", "exit 3"]), "sh failed: exit 3"],
  ["that is ended", async () => run("sh", ["-c", "kill -9 $$"]), "sh failed: ended by SIGKILL"],
  [
    "that has no right",
    async () => run("sh", ["-c", "echo 'Error: Operation not permitted' >&2; exit 1"]),
    "sh needs CAP_NET_ADMIN: run as root, or give that capability to the service (Error: Operation not permitted)",
  ],
  [
    "that takes too long",
    async () => run("sleep", ["1000"], { limitMs: 50 }),
    "sleep took longer than 0.05 s and was ended",
  ],
  [
    "that prints too much",
    async () => run("yes", [], { maxOctets: 1000 }),
    "yes printed more than 1000 octets and was ended",
  ],
];

for (const [what, running, message] of FAILURES) {
  test(`of a program ${what} it is told why`, async () => {
    expect(await refusalOf(running())).toBe(`ERR_ROTA_PLANE ${message}`);
  });
}

test("as much as it may, a program prints", async () => {
  expect(await run("printf", ["12345"], { maxOctets: 5 })).toBe("12345");
});

test("a program ends by the signal, with its reason", async () => {
  const aborting = new AbortController();
  const running = run("sleep", ["1000"], { signal: aborting.signal });
  aborting.abort(new RotaError("ERR_ROTA_CLOSED", "over"));
  expect(await refusalOf(running)).toBe("ERR_ROTA_CLOSED over");
  expect(await refusalOf(run("echo", [], { signal: aborting.signal }))).toBe("ERR_ROTA_CLOSED over");
});

test("what one program is wrapped in stands inside of what all are", async () => {
  const inPlace = runnerIn(["env", "ROTA_WORD=there"]);
  expect(await inPlace("sh", ["-c", 'echo "$ROTA_WORD"'])).toBe("there\n");
  expect(await inPlace("sh", ["-c", 'echo "$ROTA_WORD"'], { wrapper: ["env", "ROTA_WORD=here"] })).toBe(
    "here\n",
  );
});

testNeeding({ root: true, programs: ["nft", "setpriv"] })("nobody is told what nft needs", async () => {
  const wrapper = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
  expect(await refusalOf(run("nft", ["list", "ruleset"], { wrapper }))).toMatch(
    /^ERR_ROTA_PLANE nft needs CAP_NET_ADMIN: run as root/,
  );
});
