import { describe, expect, test } from "vitest";
import type { Look } from "../../src/sources/files.ts";
import { createLedger } from "../../src/sources/ledger.ts";
import { read, type ReadReply, type ReadRequest } from "../../src/sources/read.ts";
import { createReadSet } from "../../src/sources/read-set.ts";
import { readAside } from "../../src/sources/read-thread.ts";
import { fileOf, format } from "./watching.ts";

function look(file: string, text: string): Look {
  return { kind: "octets", file, octets: Buffer.from(text) };
}

const TERMS = { env: {}, allowExec: false };

/** A ledger, what it asked to be read, and what it published and reported. */
function ledger(ask: (request: ReadRequest) => Promise<ReadReply> = async (request) => read(request)) {
  const asked: string[] = [];
  const published: string[] = [];
  const reported: string[] = [];
  const readSet = createReadSet(async (request) => {
    asked.push(request.files.map(({ file, kind }) => `${file} ${kind}`).join(", "));
    return ask(request);
  }, TERMS);
  const opened = createLedger({
    readSet,
    publish: (roster) => void published.push(format(roster)),
    report: ({ kind, message }) => void reported.push(`${kind} ${message}`),
  });
  return { ...opened, asked, published, reported };
}

describe("a file is read", () => {
  const network = "networks: { front: { vips: 10.0.0.0/24 } }";

  test("when its octets changed, and no other with it", async () => {
    const { open, update, asked } = ledger();
    await open([look("a", fileOf("web")), look("b", fileOf("db"))]);
    await update([look("a", fileOf("web")), look("b", fileOf("db"))]);
    await update([look("a", fileOf("web")), look("b", fileOf("db", "10.0.0.1"))]);
    expect(asked).toEqual(["a unread, b unread", "a read, b unread"]);
  });

  test("again when the networks of another changed", async () => {
    const { open, update, asked } = ledger();
    await open([look("a", network), look("b", fileOf("db"))]);
    await update([look("a", network.replace("24", "25")), look("b", fileOf("db"))]);
    expect(asked).toEqual(["a unread, b unread", "a unread, b read", "a read, b unread"]);
  });

  test("not again when it goes back to what it was", async () => {
    const { open, update, asked, published } = ledger();
    await open([look("a", fileOf("web"))]);
    await update([look("a", "")]);
    await update([look("a", fileOf("web"))]);
    expect(asked).toEqual(["a unread", "a unread"]);
    expect(published).toEqual(["web"]);
  });
});

test("a reading that fails is made up for with the next look, though nothing changed by then", async () => {
  let isBroken = false;
  const { open, update, published } = ledger(async (request) => {
    if (isBroken) throw new Error("out of memory");
    return read(request);
  });
  await open([look("a", fileOf("web"))]);
  isBroken = true;
  await expect(update([look("a", fileOf("db"))])).rejects.toThrow("out of memory");
  isBroken = false;
  await update([look("a", fileOf("db"))]);
  expect(published).toEqual(["web", "db"]);
});

test("the same trouble is told once, and again when the file was written to", async () => {
  const { open, update, reported } = ledger();
  await open([look("a", fileOf("web")), look("b", fileOf("db"))]);
  reported.length = 0;
  await update([look("a", "services: ["), look("b", fileOf("db"))]);
  await update([look("a", "services: ["), look("b", fileOf("db", "10.0.0.1"))]);
  await update([look("a", "services: [ "), look("b", fileOf("db", "10.0.0.1"))]);
  expect(reported).toEqual([
    expect.stringMatching(/^problem a:1:12: not valid YAML/),
    "read b: read: 1 service",
    expect.stringMatching(/^problem a:1:1\d: not valid YAML/),
  ]);
});

test("of a hundred mistakes the first twenty are told", async () => {
  const { open, update, reported } = ledger();
  await open([look("a", "services: {}")]);
  reported.length = 0;
  const services = Array.from({ length: 100 }, (_, at) => `  s${at}: { ttl: x }\n`);
  await update([look("a", `services:\n${services.join("")}`)]);
  expect(reported.length).toBe(21);
  expect(reported.at(-1)).toBe("problem a: and 80 more; what it said before stays");
});

test("a file that cannot be read keeps what it said", async () => {
  const { open, update, published, reported } = ledger();
  await open([look("a", fileOf("web"))]);
  await update([{ kind: "unreadable", file: "a", message: "could not be read: EACCES" }]);
  await update([look("a", fileOf("db"))]);
  expect(reported.slice(1)).toEqual([
    "problem a: could not be read: EACCES; what it said before stays",
    "recovered a: is good again",
    "read a: read: 1 service",
  ]);
  expect(published).toEqual(["web", "db"]);
});

test("a file that is gone gives way to one that contradicts it", async () => {
  const { open, update, published, reported } = ledger();
  await open([look("a", `zone: a.internal\n${fileOf("web")}`), look("b", fileOf("db"))]);
  await update([look("b", `zone: b.internal\n${fileOf("db")}`)]);
  expect(published).toEqual(["web, db", "db, web"]);
  expect(reported.filter((line) => line.startsWith("problem"))).toEqual([]);
});

test("a service that went to another file and came back is kept when its file goes again", async () => {
  const { open, update, published } = ledger();
  await open([look("a", fileOf("web")), look("b", fileOf("db"))]);
  await update([look("b", fileOf("web", "10.0.0.1"))]);
  await update([look("a", fileOf("web")), look("b", fileOf("db"))]);
  await update([look("b", fileOf("db"))]);
  expect(published).toEqual(["web, db", "web 10.0.0.1", "web, db", "db, web"]);
});

test("a thread that ends before it has read is an error, and no end of the process", async () => {
  const ending = new AbortController();
  const octets = Buffer.from(`# ${"x".repeat(100_000)}`);
  const reading = readAside(
    { ...TERMS, files: [{ kind: "unread", file: "a", octets, known: new Set() }] },
    ending.signal,
  );
  ending.abort();
  await expect(reading).rejects.toThrow(/^the thread that reads ended with code \d$/);
});
