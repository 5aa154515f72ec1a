import { describe, expect, test } from "vitest";
import type { AvailabilityRule } from "../../src/model/availability.ts";
import { watchAdmin } from "../../src/sources/admin.ts";
import type { FileWatch } from "../../src/sources/follow.ts";
import { createFolder } from "./folder.ts";
import { createReports } from "./reports.ts";

/** A watch of an admin file, and all that it said so far. */
interface Admin extends AsyncDisposable {
  readonly watch: FileWatch;
  /** What was published, each as `web * drain, db * active`. */
  readonly published: readonly string[];
  readonly rules: readonly (readonly AvailabilityRule[])[];
  /** The next report, waited for: `read file: read: 1 rule`. */
  told(): Promise<string>;
}

async function watching(file: string, { poll = false } = {}): Promise<Admin> {
  const ending = new AbortController();
  const published: string[] = [];
  const rules: (readonly AvailabilityRule[])[] = [];
  const reports = createReports(file);
  const watch = await watchAdmin(
    file,
    {
      poll,
      publish(said) {
        rules.push(said);
        published.push(
          said.map(({ service, task, availability }) => `${service} ${task} ${availability}`).join(", "),
        );
      },
      report: reports.report,
    },
    ending.signal,
  );

  return {
    watch,
    published,
    rules,
    told: reports.told,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await watch.closed;
    },
  };
}

describe.each([
  ["told by the system", false],
  ["by asking again and again", true],
])("an admin file is followed, %s:", (_, poll) => {
  test("written, replaced, taken away and put back", async () => {
    await using folder = await createFolder();
    const file = await folder.write("admin.state", "web => drain\n");
    await using admin = await watching(file, { poll });
    expect(await admin.told()).toBe("read FILE: read: 1 rule");
    await folder.write("admin.state", "web => drain\nweb/b => active\n");
    expect(await admin.told()).toBe("read FILE: read: 2 rules");
    await folder.replace("admin.state", "");
    expect(await admin.told()).toBe("read FILE: read: 0 rules");
    await folder.replace("admin.state", "db => maintenance\n");
    expect(await admin.told()).toBe("read FILE: read: 1 rule");
    await folder.remove("admin.state");
    expect(await admin.told()).toBe(
      "read FILE: is gone: no task is drained or in maintenance by it any more",
    );
    await folder.write("admin.state", "db => drain\n");
    expect(await admin.told()).toBe("read FILE: read: 1 rule");
    expect(admin.published).toEqual([
      "web * drain",
      "web * drain, web b active",
      "",
      "db * maintenance",
      "",
      "db * drain",
    ]);
    expect(admin.rules.at(-1)?.[0]?.origin).toBe(`${file}:1`);
  });

  test("that is not there yet, nor its folder", async () => {
    await using folder = await createFolder();
    await using admin = await watching(folder.at("run/rota/admin.state"), { poll });
    expect(await admin.told()).toBe(
      "read FILE: is not there yet: no task is drained or in maintenance by it",
    );
    await folder.write("run/rota/admin.state", "web => drain\n");
    expect(await admin.told()).toBe("read FILE: read: 1 rule");
    expect(admin.published).toEqual(["", "web * drain"]);
  });
});

describe("the rules of an admin file stay", () => {
  test("when it is wrong, until it is mended", async () => {
    await using folder = await createFolder();
    const file = await folder.write("admin.state", "web => drain\n");
    await using admin = await watching(file);
    await admin.told();
    await folder.write("admin.state", "web => drian\ndb\n");
    expect(await admin.told()).toBe(
      'problem FILE:1:8: "drian" is not allowed: write active, drain or maintenance; the rules before it stay',
    );
    expect(await admin.told()).toBe(
      'problem FILE:2:1: "db" is not understood: write SERVICE/TASK => drain; the rules before it stay',
    );
    expect(admin.published).toEqual(["web * drain"]);
    await folder.write("admin.state", "db => drain\n");
    expect(await admin.told()).toBe("recovered FILE: is good again");
    expect(await admin.told()).toBe("read FILE: read: 1 rule");
    await folder.write("admin.state", "db => active\n");
    expect(await admin.told()).toBe("read FILE: read: 1 rule");
    expect(admin.published).toEqual(["web * drain", "db * drain", "db * active"]);
  });

  test("when much is wrong with it, of which twenty lines are told", async () => {
    await using folder = await createFolder();
    const file = await folder.write("admin.state", "");
    await using admin = await watching(file);
    await admin.told();
    await folder.write("admin.state", "web\n".repeat(23));
    for (let line = 1; line <= 20; line++) expect(await admin.told()).toContain(`problem FILE:${line}:1: `);
    expect(await admin.told()).toBe("problem FILE: and 3 more; the rules before it stay");
  });

  test.each([
    ["is no text", Buffer.from([0xff]), /^problem FILE: is not UTF-8 text: .*; the rules before it stay$/],
    [
      "is too large",
      Buffer.alloc(1024 * 1024 + 1, "#"),
      "problem FILE: has 1048577 octets, 1048576 are allowed: say it with globs; the rules before it stay",
    ],
  ])("when it %s", async (_, octets, message) => {
    await using folder = await createFolder();
    const file = await folder.write("admin.state", "web => drain\n");
    await using admin = await watching(file);
    await admin.told();
    await folder.write("admin.state", octets);
    expect(await admin.told()).toMatch(message);
    expect(admin.published).toEqual(["web * drain"]);
  });

  test("when it is a folder by now", async () => {
    await using folder = await createFolder();
    const file = await folder.write("admin.state", "web => drain\n");
    await folder.write("other/a", "");
    await using admin = await watching(file);
    await admin.told();
    folder.exchange("admin.state", "other");
    expect(await admin.told()).toBe("problem FILE: is not a file; the rules before it stay");
  });

  test("as they are when it is written again alike: nothing is said", async () => {
    await using folder = await createFolder();
    const file = await folder.write("admin.state", "web => drain\n");
    await using admin = await watching(file);
    await folder.replace("admin.state", "web => drain\n");
    await admin.watch.reload();
    expect(admin.published).toEqual(["web * drain"]);
    await folder.replace("admin.state", "web => active\n");
    await admin.watch.reload();
    expect(admin.published).toEqual(["web * drain", "web * active"]);
  });
});

test("the first reading fails with all that is wrong, twenty at most", async () => {
  await using folder = await createFolder();
  const file = await folder.write("admin.state", "web\n".repeat(23));
  await expect(watching(file)).rejects.toThrow(
    expect.objectContaining({
      code: "ERR_ROTA_ADMIN_FILE",
      message: expect.stringMatching(
        /^could not take the admin file: \S+admin\.state:1:1: "web" is not understood: write SERVICE\/TASK => drain; .*; and 3 more$/,
      ),
    }),
  );
});

test("a watch of an admin file ends with its signal", async () => {
  await using folder = await createFolder();
  const file = await folder.write("admin.state", "web => drain\n");
  const ended = await watching(file);
  await ended[Symbol.asyncDispose]();
  await ended.watch.reload();
  expect(ended.published).toEqual(["web * drain"]);
});
