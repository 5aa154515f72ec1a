import { beforeEach, afterEach, describe, expect, test } from "vitest";
import type { Log, Rota } from "../../src/index.ts";
import { createScope, type Scope } from "../../src/base/scope.ts";
import { silentLog } from "../../src/base/log.ts";
import { createFolder, type Folder } from "../sources/folder.ts";
import { explanationOf } from "./explained.ts";
import type { ProbedTask } from "./probed-task.ts";
import { refusalOf } from "./refusal.ts";
import { createStage, type Played, type Stage, webOf } from "./stage.ts";
import { untilService, untilTask } from "./until.ts";

let scope: Scope;
let stage: Stage;
let folder: Folder;
beforeEach(async () => {
  scope = createScope();
  stage = scope.use(createStage());
  folder = scope.use(await createFolder());
});
afterEach(async () => scope[Symbol.asyncDispose]());

/** What the operator says of `web`'s tasks, as `active drain`. */
function availabilities(rota: Rota): string {
  return (rota.services()[0]?.tasks ?? []).map(({ availability }) => availability).join(" ");
}

/** Tasks a and b, both well and in answers. */
async function served(
  options: Parameters<Stage["start"]>[2] = {},
  web: Parameters<Stage["start"]>[1] = {},
): Promise<Played & { readonly a: ProbedTask; readonly b: ProbedTask; readonly both: string[] }> {
  const { first: a, all } = await stage.tasks("ab");
  a.always("+");
  const [, b = a] = all;
  const played = await stage.start(all, web, options);
  const both = [a.address, b.address];
  return { ...played, a, b, both };
}

async function bothServe(rota: Rota): Promise<void> {
  await untilService(rota, "web", ({ tasks }) => tasks.every(({ isServing }) => isServing));
}

describe("by word of the library", () => {
  test("a drained task is out at once, goes on being checked, and is back at once", async () => {
    const { rota, ask, a, b, both } = await served();
    await bothServe(rota);
    await rota.drain("web", "a");
    expect(await ask.addresses("web")).toEqual([b.address]);
    expect(await ask.addresses("a.web")).toEqual([a.address]);
    await a.probed(2);
    await rota.activate("web", "a");
    expect(await ask.addresses("web")).toEqual(both);
  });

  test("a drained task that fails meanwhile is not back", async () => {
    const { rota, ask, a, b } = await served();
    await bothServe(rota);
    await rota.drain("web", "a");
    await a.says("---");
    await rota.activate("web", "a");
    expect(await ask.addresses("web")).toEqual([b.address]);
  });

  test("a task in maintenance is not checked, and must pass when it is active again", async () => {
    const { rota, ask, a, b, both } = await served();
    await bothServe(rota);
    await rota.maintain("web", "a");
    expect(await ask.addresses("web")).toEqual([b.address]);
    await a.deserted();
    const before = a.probes;
    await b.probed(3);
    expect(a.probes).toBe(before);

    const isBack = a.says("");
    await rota.activate("web", "a");
    expect(await ask.addresses("web")).toEqual([b.address]);
    await isBack;
    await a.says("+");
    expect(await ask.addresses("web")).toEqual(both);
  });

  test("a whole service is out, those of its tasks that come later as well, when_empty or not", async () => {
    const { rota, ask, both } = await served({}, { when_empty: "all", panic_threshold: 1 });
    await bothServe(rota);
    await rota.drain("web");
    expect(await ask.addresses("web")).toBe("ENODATA");
    const { all } = await stage.tasks("abc");
    await rota.declare("web", webOf(all, { when_empty: "all" }));
    expect(availabilities(rota)).toBe("drain drain drain");
    expect(await ask.addresses("web")).toBe("ENODATA");
    expect(both).not.toEqual([]);
  });

  test("one task of a service that is out as a whole may be active", async () => {
    const { rota, ask, b } = await served();
    await bothServe(rota);
    await rota.drain("web");
    await rota.activate("web", "b");
    expect(await ask.addresses("web")).toEqual([b.address]);
    await rota.activate("web");
    expect(availabilities(rota)).toBe("active active");
  });

  test("the VIP stays when all tasks are out", async () => {
    const { rota, ask } = await served({}, { endpoint_mode: "vip" });
    await bothServe(rota);
    await rota.maintain("web");
    expect(await ask.addresses("web")).toEqual([rota.services()[0]?.vips[0]?.address]);
    expect(await ask.addresses("tasks.web")).toBe("ENODATA");
  });

  test.each<[string, (rota: Rota) => Promise<void>, string]>([
    ["drain", async (rota) => rota.drain("api"), "could not drain service api: there is no such service"],
    [
      "maintain",
      async (rota) => rota.maintain("web", "z"),
      "could not maintain task z of service web: there is no such task; its tasks are a, b",
    ],
    [
      "activate",
      async (rota) => rota.activate("api"),
      "could not activate service api: there is no such service",
    ],
  ])("%s of nobody is refused", async (_, call, message) => {
    const { rota } = await served();
    expect(await refusalOf(call(rota))).toBe(`ERR_ROTA_DECLARATION: ${message}`);
  });

  test("explain says who took it out", async () => {
    const { rota } = await served();
    await bothServe(rota);
    await rota.drain("web", "a");
    expect(await explanationOf(rota, "web")).toMatch(/^ {2}a .*draining .*taken out by library, \d+ms ago/m);
  });
});

describe("a task is drained", () => {
  test("when its TTL and the grace are over, and that is heard", async () => {
    const { rota } = await served({ drainGraceMs: 20 }, { ttl: "0s" });
    await bothServe(rota);
    await rota.drain("web", "a");
    expect(isDrained(rota)).toEqual([false, false]);
    await untilTask(rota, "web/a", ({ isDrained }) => isDrained);
    expect(isDrained(rota)).toEqual([true, false]);
    expect(await explanationOf(rota, "web")).toMatch(/^ {2}a .*drained /m);
  });

  test("no sooner than its TTL", async () => {
    const { rota } = await served({ drainGraceMs: 0 }, { ttl: "1h" });
    await bothServe(rota);
    await rota.drain("web", "b");
    await rota.maintain("web", "a");
    await rota.activate("web", "a");
    await untilTask(rota, "web/a", ({ isServing }) => isServing);
    expect(isDrained(rota)).toEqual([false, false]);
  });

  test("as one that is put into maintenance, and not any more when it is active", async () => {
    const { rota } = await served({ drainGraceMs: 0 }, { ttl: "0s" });
    await bothServe(rota);
    await rota.maintain("web", "a");
    await untilTask(rota, "web/a", ({ isDrained }) => isDrained);
    await rota.activate("web", "a");
    expect(isDrained(rota)).toEqual([false, false]);
  });

  test("together with all others that were taken out with it", async () => {
    const { rota } = await served({ drainGraceMs: 20 }, { ttl: "0s" });
    await bothServe(rota);
    await rota.drain("web");
    await untilService(rota, "web", ({ tasks }) => tasks.every(({ isDrained }) => isDrained));
  });

  function isDrained(rota: Rota): boolean[] {
    return (rota.services()[0]?.tasks ?? []).map(({ isDrained }) => isDrained);
  }
});

describe("by the admin file", () => {
  test("what it says is followed, and its end takes it back", async () => {
    const adminFile = folder.at("admin.state");
    const { rota, ask, a, b, both } = await served({ adminFile });
    await bothServe(rota);
    expect(await ask.addresses("web")).toEqual(both);

    await folder.write("admin.state", "web/a => drain\n");
    await untilTask(rota, "web/a", ({ availability }) => availability === "drain");
    expect(await ask.addresses("web")).toEqual([b.address]);

    await folder.write("admin.state", "web/a => maintenance\n");
    await untilTask(rota, "web/a", ({ availability }) => availability === "maintenance");
    await a.deserted();
    const before = a.probes;
    await b.probed(3);
    expect(a.probes).toBe(before);

    await folder.remove("admin.state");
    await bothServe(rota);
    expect(await ask.addresses("web")).toEqual(both);
  });

  test.each<[text: string, availabilities: string]>([
    ["web/a => drain", "drain active"],
    ["web => drain", "drain drain"],
    ["w?b/* => maintenance", "maintenance maintenance"],
    ["* => drain\nweb/b => active", "drain active"],
    ["web/b => active\n* => drain", "drain drain"],
    ["web/127.0.1.2 => drain", "active drain"],
    ["WEB/A => drain # by night", "drain active"],
    ["api => drain", "active active"],
  ])("%j: %s", async (text, said) => {
    const adminFile = await folder.write("admin.state", text);
    const { rota } = await served({ adminFile });
    expect(availabilities(rota)).toBe(said);
  });

  test("one that is broken changes nothing and is told; mended, it counts again", async () => {
    const adminFile = await folder.write("admin.state", "web/a => drain\n");
    const errors = waitingLog();
    const { rota } = await served({ adminFile, log: errors.log });
    await folder.write("admin.state", "web/a => drain\nweb/b => drian\n");
    expect(await errors.next()).toBe(
      `${adminFile}:2:10: "drian" is not allowed: write active, drain or maintenance; the rules before it stay`,
    );
    expect(availabilities(rota)).toBe("drain active");
    await folder.write("admin.state", "web/b => drain\n");
    await untilTask(rota, "web/b", ({ availability }) => availability === "drain");
    expect(availabilities(rota)).toBe("active drain");
  });

  test("one that is broken from the start lets nothing start", async () => {
    const adminFile = await folder.write("admin.state", "web/a -> drain\n");
    expect(await refusalOf(stage.start([], {}, { adminFile }))).toBe(
      `ERR_ROTA_ADMIN_FILE: could not take the admin file: ${adminFile}:1:1: "web/a -> drain" is not understood: ` +
        "write SERVICE/TASK => drain",
    );
  });

  test("reload() reads it again", async () => {
    const adminFile = folder.at("admin.state");
    const { rota } = await served({ adminFile });
    await folder.write("admin.state", "web/b => drain\n");
    await rota.reload();
    expect(availabilities(rota)).toBe("active drain");
  });

  test("the library's word stands above it", async () => {
    const adminFile = await folder.write("admin.state", "web => maintenance\n");
    const { rota } = await served({ adminFile });
    await rota.activate("web", "a");
    expect(availabilities(rota)).toBe("active maintenance");
  });
});

/** A log of which the errors can be waited for. */
function waitingLog(): { readonly log: Log; next(): Promise<string> } {
  const said: string[] = [];
  let ring = (): void => {};
  const error = (_: object, message: string): void => {
    said.push(message);
    ring();
  };
  return {
    log: { ...silentLog, error },
    async next() {
      while (said.length === 0) {
        await new Promise<void>((resolve) => {
          ring = resolve;
        });
      }
      return said.shift() ?? "";
    },
  };
}
