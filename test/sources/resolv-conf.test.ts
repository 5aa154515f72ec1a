import { describe, expect, test } from "vitest";
import { formatAddress } from "../../src/model/address.ts";
import type { FileWatch } from "../../src/sources/follow.ts";
import { watchResolvConf } from "../../src/sources/resolv-conf.ts";
import { createFolder } from "./folder.ts";
import { createReports } from "./reports.ts";

/** A watch of a resolv.conf, and all that it said so far. */
interface Watching extends AsyncDisposable {
  readonly watch: FileWatch;
  /** The name servers that were published, each time in a line. */
  readonly published: readonly string[];
  /** How many reports nobody has asked for yet. */
  readonly untold: number;
  /** The next report, waited for: `read FILE: read: name servers 10.0.0.53`. */
  told(): Promise<string>;
}

async function watching(file: string): Promise<Watching> {
  const ending = new AbortController();
  const published: string[] = [];
  const reports = createReports(file);
  const watch = await watchResolvConf(
    file,
    {
      publish: (nameServers) => void published.push(nameServers.map(formatAddress).join(" ")),
      report: reports.report,
    },
    ending.signal,
  );
  return {
    watch,
    published,
    get untold() {
      return reports.untold;
    },
    told: reports.told,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await watch.closed;
    },
  };
}

describe("the name servers of a resolv.conf:", () => {
  test.each([
    ["nameserver 10.0.0.53\n", "10.0.0.53"],
    ["nameserver 10.0.0.53", "10.0.0.53"],
    ["nameserver\t10.0.0.53 # the first\nnameserver fd00::53;\n", "10.0.0.53 fd00::53"],
    ["nameserver 10.0.0.53\r\nnameserver 10.0.0.54\r\n", "10.0.0.53 10.0.0.54"],
    ["search example\noptions ndots:5\n# nameserver 10.0.0.1\nnameserver 10.0.0.53\n", "10.0.0.53"],
    ["nameserver 10.0.0.53\nnameserver 10.0.0.54\nnameserver 10.0.0.53\n", "10.0.0.53 10.0.0.54"],
    [
      Array.from({ length: 20 }, (_, at) => `nameserver 10.0.0.${at}\n`).join(""),
      Array.from({ length: 16 }, (_, at) => `10.0.0.${at}`).join(" "),
    ],
  ])("%j", async (text, expected) => {
    await using folder = await createFolder();
    await using watch = await watching(await folder.write("resolv.conf", text));
    expect(watch.published).toEqual([expected]);
    expect(await watch.told()).toBe(`read FILE: read: name servers ${expected.replaceAll(" ", ", ")}`);
  });

  test("one that cannot be asked is left out, and said so with its place", async () => {
    await using folder = await createFolder();
    const text = "nameserver fe80::1%eth0\nnameserver 10.0.0.53\n";
    await using watch = await watching(await folder.write("resolv.conf", text));
    expect(watch.published).toEqual(["10.0.0.53"]);
    expect(await watch.told()).toBe(
      'warning FILE:1:12: "fe80::1%eth0" has a zone, which DNS cannot carry: leave out what follows the %; it is left out',
    );
  });

  test("the file is followed, and while it names nobody those stay that it named before", async () => {
    await using folder = await createFolder();
    const file = await folder.write("resolv.conf", "nameserver 10.0.0.53\n");
    await using watch = await watching(file);
    await watch.told();
    await folder.replace("resolv.conf", "nameserver 10.0.0.54\n");
    expect(await watch.told()).toBe("read FILE: read: name servers 10.0.0.54");
    await folder.write("resolv.conf", "# nothing\n");
    expect(await watch.told()).toBe("problem FILE: names no name server; still asking 10.0.0.54");
    await folder.remove("resolv.conf");
    expect(await watch.told()).toBe(
      "problem FILE: is not there: no name server is known from it; still asking 10.0.0.54",
    );
    await folder.write("resolv.conf", Uint8Array.of(0xff, 0xfe));
    expect(await watch.told()).toMatch(/^problem FILE: is not UTF-8 text: .*; still asking 10\.0\.0\.54$/);
    await folder.write("resolv.conf", "nameserver 10.0.0.55\n");
    expect(await watch.told()).toBe("read FILE: read: name servers 10.0.0.55");
    expect(watch.published).toEqual(["10.0.0.53", "10.0.0.54", "10.0.0.55"]);
  });

  test("a file that is not there names nobody until it is", async () => {
    await using folder = await createFolder();
    await using watch = await watching(folder.at("resolv.conf"));
    expect(watch.published).toEqual([]);
    expect(await watch.told()).toBe("problem FILE: is not there: no name server is known from it");
    await folder.write("resolv.conf", "nameserver 10.0.0.53\n");
    expect(await watch.told()).toBe("read FILE: read: name servers 10.0.0.53");
  });

  test("what says the same again is no news", async () => {
    await using folder = await createFolder();
    const file = await folder.write("resolv.conf", "nameserver 10.0.0.53\n");
    await using watch = await watching(file);
    await watch.told();
    await folder.replace("resolv.conf", "# again\nnameserver 10.0.0.53\n");
    await watch.watch.reload();
    expect(watch.untold).toBe(0);
    expect(watch.published).toHaveLength(1);
    await folder.replace("resolv.conf", "# nobody\n");
    await watch.told();
    await folder.replace("resolv.conf", "# still nobody\n");
    await watch.watch.reload();
    expect(watch.untold).toBe(0);
  });

  test("a file of more than 64 KiB is none", async () => {
    await using folder = await createFolder();
    await using watch = await watching(await folder.write("resolv.conf", "#".repeat(65_537)));
    expect(await watch.told()).toBe(
      "problem FILE: has 65537 octets, 65536 are allowed: it is no resolv.conf",
    );
  });
});
