import { expect, test } from "vitest";
import { createLatest } from "../../src/plane/latest.ts";

/** A run that ends when the test says so, and what it was started with. */
function byHand() {
  const started: string[] = [];
  const ends: { readonly resolve: (told: string) => void; readonly reject: (error: Error) => void }[] = [];
  const latest = createLatest<string, string>((state) => {
    started.push(state);
    return new Promise((resolve, reject) => {
      ends.push({ resolve, reject });
    });
  });
  return {
    latest,
    started,
    end: async (at: number, told: string) => {
      ends[at]?.resolve(told);
      await new Promise(setImmediate);
    },
    fail: async (at: number) => {
      ends[at]?.reject(new Error(`${started[at]} failed`));
      await new Promise(setImmediate);
    },
  };
}

test("of those that wait, the last counts, and all get what comes of it", async () => {
  const { latest, started, end } = byHand();
  const all = ["a", "b", "c", "d"].map(latest);
  expect(started).toEqual(["a"]);
  await end(0, "did a");
  expect(started).toEqual(["a", "d"]);
  await end(1, "did d");
  expect(await Promise.all(all)).toEqual(["did a", "did d", "did d", "did d"]);
});

test("what comes while the one that waited runs waits for it", async () => {
  const { latest, started, end } = byHand();
  const all = [latest("a"), latest("b")];
  await end(0, "did a");
  all.push(latest("c"));
  expect(started).toEqual(["a", "b"]);
  await end(1, "did b");
  await end(2, "did c");
  expect(await Promise.all(all)).toEqual(["did a", "did b", "did c"]);
});

test("a failure is told to who asked, and keeps nobody waiting", async () => {
  const { latest, end, fail } = byHand();
  const failing = latest("a").catch((error: unknown) => String(error));
  const next = latest("b");
  await fail(0);
  expect(await failing).toBe("Error: a failed");
  await end(1, "did b");
  expect(await next).toBe("did b");
});

test("one that comes when nothing runs starts at once", async () => {
  const { latest, started, end } = byHand();
  void latest("a");
  await end(0, "did a");
  void latest("b");
  expect(started).toEqual(["a", "b"]);
});
