import { describe, expect, test } from "vitest";
import { parseAvailability } from "../../src/schema/availability.ts";

/** What an admin file says, a line a rule, or what is wrong with it. */
function read(text: string): string[] {
  const parsed = parseAvailability(text, "admin.state");
  if (parsed.ok) {
    return parsed.rules.map(
      ({ service, task, availability, origin }) => `${origin} ${service} ${task} ${availability}`,
    );
  }
  return parsed.problems.map(({ line, column, message }) => `${line}:${column}: ${message}`);
}

describe("an admin file", () => {
  test("says of tasks what the operator wants, in order, with where it stands", () => {
    expect(
      read("# night shift\n\nweb/* => drain # until six\nweb/b => active\n  db => maintenance  \n"),
    ).toEqual(["admin.state:3 web * drain", "admin.state:4 web b active", "admin.state:5 db * maintenance"]);
  });

  test.each([
    ["nothing", "", []],
    ["only comments", "# web => drain\n   # more\n", []],
    ["a byte order mark and CRLF", "\ufeffweb => drain\r\ndb => drain\r\n", ["web * drain", "db * drain"]],
    ["no spaces", "web/b=>drain", ["web b drain"]],
    ["capitals", "Web.Shop/B => drain", ["web.shop b drain"]],
    ["globs", "w?b*/*-1 => drain", ["w?b* *-1 drain"]],
    ["an address", "web/10.0.1.11 => drain", ["web 10.0.1.11 drain"]],
    ["an address in another spelling", "*/FD00:0:0::01 => drain", ["* fd00::1 drain"]],
    ["a glob of addresses", "*/fd00:1::* => drain", ["* fd00:1::* drain"]],
    ["an id with dots and underscores", "web/Web_1.a => drain", ["web web_1.a drain"]],
  ])("may have %s", (_, text, expected) => {
    expect(read(text).map((rule) => rule.replace(/^\S+ /, ""))).toEqual(expected);
  });

  test.each([
    ["web drain", '1:1: "web drain" is not understood: write SERVICE/TASK => drain'],
    ["\n  web = drain", '2:3: "web = drain" is not understood: write SERVICE/TASK => drain'],
    ["web =>  drian", '1:9: "drian" is not allowed: write active, drain or maintenance'],
    ["web => DRAIN", '1:8: "DRAIN" is not allowed: write active, drain or maintenance'],
    ["web => off", '1:8: "off" is not allowed: write active, drain or maintenance'],
    ["web => drain => drain", '1:8: "drain => drain" is not allowed: write active, drain or maintenance'],
    ["web => # drain", "1:8: nothing stands behind =>: write active, drain or maintenance"],
    ["=> drain", '1:1: "" is not understood: write SERVICE/TASK, or SERVICE for all its tasks'],
    ["/b => drain", '1:1: "/b" is not understood: write SERVICE/TASK, or SERVICE for all its tasks'],
    ["web/ => drain", '1:1: "web/" is not understood: write SERVICE/TASK, or SERVICE for all its tasks'],
    ["a/b/c => drain", '1:1: "a/b/c" is not understood: write SERVICE/TASK, or SERVICE for all its tasks'],
    ["we b => drain", '1:1: "we b" fits no service: write its name, as web or web.shop, maybe with * and ?'],
    ["web/[a-z] => drain", '1:1: "[a-z]" fits no task: write its id or address, maybe with * and ?'],
    [
      "web/10.0.0.1:80 => drain",
      '1:1: "10.0.0.1:80" is not an IPv4 or IPv6 address: write a task\'s id or address, without a port',
    ],
    [
      `${"a".repeat(256)} => drain`,
      `1:1: "${"a".repeat(60)}…" has over 255 characters on a side: no name has`,
    ],
  ])("with %j is refused", (text, message) => {
    expect(read(text)).toEqual([message]);
  });

  test("tells all that is wrong with it", () => {
    expect(read("web\ndb => drain\nweb => x\n").map((problem) => problem.slice(0, 4))).toEqual([
      "1:1:",
      "3:8:",
    ]);
  });

  test("has 10,000 rules at most", () => {
    expect(read("web => drain\n".repeat(10_000)).length).toBe(10_000);
    expect(read("web => drain\n".repeat(10_002))).toEqual([
      "10001:1: there are over 10000 rules: say it with globs",
    ]);
    expect(read("web\n".repeat(20_000)).length).toBe(10_001);
  });

  test("of one endless line takes no longer than any other", () => {
    const spaces = " ".repeat(1024 * 1024);
    expect(read(`web${spaces}=> drain${spaces}`)).toEqual(["admin.state:1 web * drain"]);
    expect(read(`web${spaces}`)).toEqual(['1:1: "web" is not understood: write SERVICE/TASK => drain']);
    expect(read(`${"web/".repeat(262_144)} => drain`).length).toBe(1);
  });
});
