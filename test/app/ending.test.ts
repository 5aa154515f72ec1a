import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Rota, type RotaOptions, startRota } from "../../src/index.ts";
import { createScope, type Scope } from "../../src/base/scope.ts";
import { createFolder } from "../sources/folder.ts";
import { refusalOf } from "./refusal.ts";

let scope: Scope;
/** All that Rota opens: UDP and TCP, and the watch on a services file. */
let everything: RotaOptions;

beforeEach(async () => {
  scope = createScope();
  const folder = scope.use(await createFolder());
  const files = [await folder.write("services.yaml", "services: { web: { tasks: [10.0.0.1] } }")];
  everything = { files, listen: ["127.0.0.1:0", "127.0.0.2:0"] };
});

afterEach(async () => scope[Symbol.asyncDispose]());

describe("nothing is left open", () => {
  test("when an `await using` is left", async () => {
    const before = await open();
    {
      await using rota = await startRota(everything);
      await rota.declare("api", { tasks: ["10.0.0.2"] });
      expect(await open()).not.toEqual(before);
    }
    expect(await open()).toEqual(before);
  });

  test("when it is closed, twice and at once", async () => {
    const before = await open();
    const rota = await startRota(everything);
    await Promise.all([rota.close(), rota.close()]);
    expect(await open()).toEqual(before);
    expect(rota.addresses).toEqual([]);
  });

  test("when a port is taken", async () => {
    const other = scope.use(await startRota());
    const taken = other.addresses[0]?.port;
    const before = await open();
    const listen = [`127.0.0.2:${taken}`, `127.0.0.1:${taken}`];
    expect(await refusalOf(startRota({ ...everything, listen }))).toBe(
      `ERR_ROTA_LISTEN: could not listen on udp and tcp 127.0.0.1:${taken}: the port is taken; end what listens there, or choose another port`,
    );
    expect(await open()).toEqual(before);
    scope.use(await startRota({ listen: [`127.0.0.2:${taken}`] }));
  });

  test("when the file is wrong", async () => {
    const before = await open();
    await expect(startRota({ ...everything, files: ["/nowhere.yaml"] })).rejects.toThrow("/nowhere.yaml");
    expect(await open()).toEqual(before);
  });
});

describe("a Rota that is closed", () => {
  let rota: Rota;
  beforeEach(async () => {
    rota = await startRota(everything);
    await rota.close();
  });

  test.each<[string, () => Promise<unknown>]>([
    ["declare", async () => rota.declare("web", {})],
    ["withdraw", async () => rota.withdraw("web")],
    ["report", async () => rota.report("web", "10-0-0-1", "passing")],
    ["drain", async () => rota.drain("web")],
    ["maintain", async () => rota.maintain("web", "10-0-0-1")],
    ["activate", async () => rota.activate("web")],
    ["explain", async () => rota.explain("web")],
    ["reload", async () => rota.reload()],
  ])("refuses %s", async (_, call) => {
    expect(await refusalOf(call())).toBe("ERR_ROTA_CLOSED: this Rota is closed: start another");
  });
});

describe("the signal", () => {
  test("closes everything", async () => {
    const before = await open();
    const ends = new AbortController();
    const rota = await startRota({ ...everything, signal: ends.signal });
    ends.abort();
    expect(await refusalOf(rota.declare("web", {}))).toMatch("ERR_ROTA_CLOSED");
    await rota.close();
    expect(await open()).toEqual(before);
  });

  test("that is aborted already lets nothing start", async () => {
    const before = await open();
    await expect(startRota({ ...everything, signal: AbortSignal.abort("no") })).rejects.toBe("no");
    expect(await open()).toEqual(before);
  });

  test("that is aborted while it starts lets it not start", async () => {
    const before = await open();
    const ends = new AbortController();
    const starting = startRota({ ...everything, signal: ends.signal });
    ends.abort("no");
    await expect(starting).rejects.toBe("no");
    expect(await open()).toEqual(before);
  });

  test("is not held by a Rota that was closed", async () => {
    const { signal } = new AbortController();
    const rota = await startRota({ signal });
    await rota.close();
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });
});

/** The sockets and watches of this process that are open, by kind. */
async function open(): Promise<readonly string[]> {
  // What was closed is listed to the end of the event loop's turn.
  await setImmediate();
  await setImmediate();
  // No timers: chokidar leaves some that end by themselves within a second.
  const kinds = /UDP|TCP|FSEvent|StatWatcher|MessagePort/;
  return process
    .getActiveResourcesInfo()
    .filter((kind) => kinds.test(kind))
    .toSorted();
}
