import { execFileSync } from "node:child_process";
import { truncate } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { formatName } from "../../src/model/name.ts";
import { formatFinding } from "../../src/sources/report.ts";
import { readServices } from "../../src/sources/services.ts";
import { createFolder, type Folder } from "./folder.ts";
import { fileOf, format } from "./watching.ts";

/** What these files of a folder say together, or what is wrong with them. */
async function say(
  folder: Folder,
  names: readonly string[],
  env: Record<string, string> = {},
): Promise<string> {
  const paths = names.map((name) => folder.at(name));
  const { roster, problems } = await readServices(paths, env);
  const told = roster === undefined ? problems.map(formatFinding).join("\n") : format(roster);
  return told.replaceAll(`${folder.path}/`, "");
}

/** What a file of this text says, or what is wrong with it. */
async function sayOne(text: string | Uint8Array, env: Record<string, string> = {}): Promise<string> {
  await using folder = await createFolder();
  await folder.write("a.yaml", text);
  // Awaited: the folder is gone once this has returned.
  return await say(folder, ["a.yaml"], env);
}

describe("a services file", () => {
  test.each([
    ["YAML", "services:\n  web:\n    tasks: [10.0.0.1]\n", "web 10.0.0.1"],
    ["JSON", '{ "services": { "web": { "tasks": ["10.0.0.1"] } } }', "web 10.0.0.1"],
    ["JSON indented by tabs", '{\n\t"services": {\n\t\t"web": {}\n\t}\n}\n', "web"],
    ["a byte order mark", "\ufeffservices: { web: {} }", "web"],
    ["CRLF", "services:\r\n  web:\r\n    tasks: [10.0.0.1]\r\n", "web 10.0.0.1"],
    ["no services", "services: {}", ""],
    ["networks only", "networks: { front: { subnets: [10.0.0.0/24] } }", ""],
    ["a port that YAML 1.1 takes for 4840 seconds", "services: { web: { ports: [80:8080] } }", "web"],
    ["a service named by a number", "services: { 80: {} }", "80"],
    [
      "an anchor and a merge",
      "x-base: &base { tasks: [10.0.0.1] }\nservices:\n  web: *base\n  db: { <<: *base, ttl: 7 }\n",
      "web 10.0.0.1, db 10.0.0.1",
    ],
    [
      "one anchor for a thousand services",
      `x-base: &base { ttl: 5 }\nservices:\n${Array.from({ length: 1000 }, (_, at) => `  s${at}: *base\n`).join("")}`,
      Array.from({ length: 1000 }, (_, at) => `s${at}`).join(", "),
    ],
  ])("may have %s", async (_, text, expected) => {
    expect(await sayOne(text)).toBe(expected);
  });

  test.each([
    [
      "an unknown key",
      "services:\n  web:\n    endpoint_mod: vip\n",
      'a.yaml:3:5: services.web: unknown key "endpoint_mod": did you mean endpoint_mode?',
    ],
    [
      "a wrong type",
      "services:\n  web:\n    tasks: 10.0.0.1\n",
      'a.yaml:3:12: services.web.tasks: must be a list, not "10.0.0.1"',
    ],
    [
      "a bad duration",
      "services:\n  web: { ttl: 5 sec }\n",
      'a.yaml:2:15: services.web.ttl: "5 sec" is not a duration: write it as 5s, 1m30s or 500ms',
    ],
    [
      "a bad address",
      "services:\n  web:\n    tasks:\n      - 10.0.1.11\n      - { address: 10.0.1.300 }\n",
      'a.yaml:5:20: services.web.tasks[1].address: "10.0.1.300" is not an IPv4 or IPv6 address',
    ],
    [
      "one task twice",
      "services:\n  web:\n    tasks:\n      - 10.0.1.11\n      - 10.0.1.11\n",
      "a.yaml:5:9: services.web.tasks[1]: address 10.0.1.11 is that of tasks[0] already",
    ],
    [
      "one key twice",
      "services:\n  web: {}\n  web: {}\n",
      'a.yaml:3:3: key "web" stands twice in one mapping: remove one',
    ],
    [
      "one key twice, in JSON",
      '{ "services": {},\n  "services": {} }',
      'a.yaml:2:3: key "services" stands twice in one mapping: remove one',
    ],
    [
      "a bad indent",
      "services:\n  web:\n    ttl: 5\n   order: random\n",
      "a.yaml:4:1: not valid YAML: All mapping items must start at the same column",
    ],
    [
      "an open bracket",
      "services: { web: {}\n",
      "a.yaml:2:1: not valid YAML: Flow map in block collection must be sufficiently indented and end with a }",
    ],
    [
      "a second document",
      "services: {}\n---\nservices: {}\n",
      "a.yaml:2:1: a second document begins: write one in a file",
    ],
    [
      "an alias to nothing",
      "services:\n  web: *base\n",
      "a.yaml:2:8: nothing before it has the anchor &base",
    ],
    [
      "a mapping for a key",
      "{ a: 1 }: 2\n",
      "a.yaml:1:1: not valid YAML: With stringKeys, all keys must be strings",
    ],
    ["nothing in it", "", "a.yaml: is empty: write `services: {}` into it to declare nothing"],
    [
      "only a comment",
      "# services:\n\n",
      "a.yaml: is empty: write `services: {}` into it to declare nothing",
    ],
    ["null", "null", "a.yaml: is empty: write `services: {}` into it to declare nothing"],
    ["a list", "- web\n", "a.yaml:1:1: must be a mapping, not a list"],
    ["text", "web", 'a.yaml:1:1: must be a mapping, not "web"'],
    [
      "services cut off",
      "zone: a.internal\nservices:\n",
      "a.yaml:2:10: services: must be a mapping, not empty: write {} for none",
    ],
    [
      "an unknown network",
      "services:\n  web:\n    networks: [front]\n",
      'a.yaml:3:16: services.web.networks[0]: network "front" is not declared: declare it under networks',
    ],
    [
      "no VIPs to take one from",
      "networks: { front: {} }\nservices:\n  web: { networks: [front] }\n",
      "a.yaml:3:8: services.web: network front has no vips to take a VIP from: give it vips: 10.0.1.128/25, or set endpoint_mode: dnsrr",
    ],
    [
      "a health check without a port",
      "services:\n  web:\n    healthcheck:\n      tcp: true\n",
      "a.yaml:4:12: services.web.healthcheck.tcp: has no port to go to: the service declares none over tcp: write port in it, or give the service ports",
    ],
    [
      "a health check of a port that is none",
      "services:\n  web:\n    ports: [80]\n    healthcheck:\n      http:\n        path: /\n        port: htp\n",
      'a.yaml:7:15: services.web.healthcheck.http.port: no port is named "htp": write 80',
    ],
    [
      "an unset variable",
      "services:\n  web:\n    tasks: ['${WEB_1}']\n",
      "a.yaml:3:13: variable WEB_1 is not set: set it, or write ${WEB_1:-default}",
    ],
    [
      "a mistake under an alias",
      "x-base: &base { ttl: never }\nservices:\n  web: *base\n",
      'a.yaml:1:22: services.web.ttl: "never" is not a duration: write it as 5s, 1m30s or 500ms',
    ],
    [
      "a mistake merged in",
      "x-base: &base { ttl: never }\nservices:\n  web: { <<: *base }\n",
      'a.yaml:3:8: services.web.ttl: "never" is not a duration: write it as 5s, 1m30s or 500ms',
    ],
  ])("with %s is refused", async (_, text, expected) => {
    expect(await sayOne(text)).toBe(expected);
  });

  test("runs commands only where that is allowed", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", "services:\n  web:\n    healthcheck: { exec: exit 0 }\n");
    expect(await say(folder, ["a.yaml"])).toBe(
      "a.yaml:3:26: services.web.healthcheck.exec: runs a command: allow it with --allow-exec, in a program with allowExec: true",
    );
    const { roster } = await readServices([file], {}, { allowExec: true });
    expect(roster?.services.map(({ check }) => check?.probe.kind)).toEqual(["exec"]);
  });

  test("tells all that is wrong with it, from top to bottom", async () => {
    expect(await sayOne("services:\n  web: { ttl: x, orde: y }\n  db: { tasks: [x] }\nzone: a..b\n")).toBe(
      [
        'a.yaml:2:15: services.web.ttl: "x" is not a duration: write it as 5s, 1m30s or 500ms',
        'a.yaml:2:18: services.web: unknown key "orde": did you mean order?',
        'a.yaml:3:17: services.db.tasks[0]: "x" is not an IPv4 or IPv6 address',
        'a.yaml:4:7: zone: "a..b" is not a name: it has an empty label',
      ].join("\n"),
    );
  });

  test("with octets that are no UTF-8 is refused", async () => {
    expect(await sayOne(Buffer.from("services: { w\xe9b: {} }", "latin1"))).toMatch(
      /^a\.yaml: is not UTF-8 text: /,
    );
  });

  test("that would expand into the millions is refused", async () => {
    const nine = (name: string): string => `[${Array.from({ length: 9 }, () => `*${name}`).join(", ")}]`;
    const bomb = [
      "x-a: &a [x]",
      ...["ab", "bc", "cd", "de", "ef", "fg", "gh"].map(
        ([one = "", other]) => `x-${other}: &${other} ${nine(one)}`,
      ),
    ];
    expect(await sayOne(bomb.join("\n"))).toMatch(
      /^a\.yaml:\d+:\d+: its anchors come to \d{7} values: 1000000 are allowed$/,
    );
  });

  test.each([
    ["aliases", "*p"],
    ["merges", "{ <<: *p }"],
  ])("may come to 1,000,000 values by %s, and no more", async (_, use) => {
    // 625 values: the mapping, 312 keys and as many values.
    const keys = Array.from({ length: 312 }, (_, at) => `k${at}: 1`).join(", ");
    const text = (count: number): string =>
      `x-p: &p { ${keys} }\nx-all: [${Array.from({ length: count }, () => use).join(", ")}]\nservices: { web: {} }\n`;
    expect(await sayOne(text(1600))).toBe("web");
    expect(await sayOne(text(1601))).toMatch(
      /^a\.yaml:2:\d+: its anchors come to 1000625 values: 1000000 are allowed$/,
    );
  });

  test("with an anchor that has itself within is refused", async () => {
    expect(await sayOne("services: &all\n  web: {}\n  db: { labels: *all }\n")).toBe(
      "a.yaml:3:17: *all stands within &all, and would never end: write it out",
    );
  });

  test("may say an anchor anew, as YAML has it", async () => {
    const text =
      "services:\n  a: { tasks: &t [10.0.0.1] }\n  b: { tasks: *t }\n  c: { tasks: &t [10.0.0.2] }\n  d: { tasks: *t }\n";
    expect(await sayOne(text)).toBe("a 10.0.0.1, b 10.0.0.1, c 10.0.0.2, d 10.0.0.2");
  });

  test("of more than 256 MiB is refused unread", async () => {
    await using folder = await createFolder();
    await folder.write("a.yaml", "");
    await truncate(folder.at("a.yaml"), 256 * 1024 * 1024 + 1);
    expect(await say(folder, ["a.yaml"])).toBe(
      "a.yaml: has 268435457 octets, 268435456 are allowed: split it into several files",
    );
  });

  test("that is a pipe is refused, not waited for", async () => {
    await using folder = await createFolder();
    execFileSync("mkfifo", [folder.at("a.yaml")]);
    expect(await say(folder, ["a.yaml"])).toBe("a.yaml: is not a file");
  });

  test("that is not there is told of by name", async () => {
    await using folder = await createFolder();
    expect(await say(folder, ["a.yaml", "b/c.yaml"])).toBe(
      "a.yaml: could not be read: there is no such file or folder\n" +
        "b/c.yaml: could not be read: there is no such file or folder",
    );
  });

  test("gives each declaration the place where it stands", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", "services:\n  web: {}\n\n  db: {}\n");
    const { roster } = await readServices([file], {});
    expect(roster?.services.map(({ origin }) => origin)).toEqual([`${file}:2:3`, `${file}:4:3`]);
  });
});

describe("variables", () => {
  const env = { IP: "10.0.0.1", N: "7", ON: "true" };

  test("are put in place, as numbers where they are ones and not in quotes", async () => {
    const text =
      "services:\n  web:\n    max_answers: ${N}\n    labels:\n      n: '${N}'\n      on: ${ON}\n      price: US$$5\n    tasks: ['${IP}', '${NONE:-10.0.0.2}']\n";
    expect(await sayOne(text, env)).toBe("web 10.0.0.1 10.0.0.2");
    expect(await sayOne(text.replace("${N}", "'${N}'"), env)).toBe(
      'a.yaml:3:18: services.web.max_answers: must be a whole number from 1 to 65535, not "7"',
    );
  });

  test("are let be in keys and comments", async () => {
    expect(await sayOne("services:\n  web:\n    labels: { '${NONE}': 1 } # ${NONE}\n", env)).toBe("web");
  });
});

describe("several files", () => {
  test("say together what each says, in the order in which they are named", async () => {
    await using folder = await createFolder();
    await folder.write("b.yaml", "zone: b.internal\nttl: 7\nservices: { web: {} }");
    await folder.write("a.json", '{ "negative_ttl": 3, "services": { "db": {} } }');
    expect(await say(folder, ["b.yaml", "a.json"])).toBe("web, db");
    const { roster } = await readServices([folder.at("b.yaml"), folder.at("a.json")], {});
    expect(roster?.zone === undefined ? "" : formatName(roster.zone)).toBe("b.internal.");
    expect([roster?.ttl, roster?.negativeTtl]).toEqual([7, 3]);
  });

  test("of a folder are those right in it, sorted, without dot-files and others", async () => {
    await using folder = await createFolder();
    const names = [
      "c.json",
      "a.yaml",
      "b.yml",
      ".hidden.yaml",
      "notes.txt",
      "..data/x.yaml",
      "sub.yaml/d.yaml",
      "e.yaml~",
    ];
    for (const name of names)
      await folder.write(
        name,
        `services: { ${/\w/.exec(name)?.[0]}: {} }`.replace(/(\w+): \{\} \}$/, '"$1": {} }'),
      );
    expect(await say(folder, ["."])).toBe("a, b, c");
  });

  test("of a folder stand in the order of what is before their ends", async () => {
    await using folder = await createFolder();
    for (const name of ["a.b.yaml", "a.yml", "a-b.yaml", "a.json", "b.yaml"])
      await folder.write(name, `{ "services": { "${name.replaceAll(/\W/g, "-")}": {} } }`);
    expect(await say(folder, ["."])).toBe("a-json, a-yml, a-b-yaml, a-b-yaml, b-yaml");
  });

  test("named twice, as itself and by its folder, count once", async () => {
    await using folder = await createFolder();
    await folder.write("a.yaml", fileOf("web"));
    await folder.write("b.yaml", fileOf("db"));
    expect(await say(folder, ["b.yaml", ".", "b.yaml"])).toBe("db, web");
  });

  test("may name each other's networks", async () => {
    await using folder = await createFolder();
    await folder.write("a.yaml", "services: { web: { networks: [front] } }");
    await folder.write("b.yaml", "networks: { front: { vips: 10.0.0.0/24 } }");
    expect(await say(folder, ["."])).toBe("web");
  });

  test.each([
    ["zone", "zone: a.internal", "zone: b.internal"],
    ["ttl", "ttl: 5", "ttl: 6"],
    ["negative_ttl", "negative_ttl: 5", "negative_ttl: 6"],
    ["networks.front", "networks: { front: { subnets: [10.0.0.0/24] } }", "networks: { front: {} }"],
  ])("that are at odds over %s are told of with both places", async (key, one, other) => {
    await using folder = await createFolder();
    await folder.write("a.yaml", one);
    await folder.write("b.yaml", `# here\n${other}`);
    const column = key.startsWith("networks") ? 13 : 1;
    expect(await say(folder, ["."])).toBe(
      `b.yaml:2:${column}: ${key}: is at odds with a.yaml:1:${column}: say it in one file, or alike`,
    );
    await folder.write("b.yaml", one);
    expect(await say(folder, ["."])).toBe("");
  });

  test("are all told of where something is wrong", async () => {
    await using folder = await createFolder();
    await folder.write("a.yaml", "");
    await folder.write("b.yaml", "services: { web: { ttl: x } }");
    expect(await say(folder, ["."])).toBe(
      "a.yaml: is empty: write `services: {}` into it to declare nothing\n" +
        'b.yaml:1:25: services.web.ttl: "x" is not a duration: write it as 5s, 1m30s or 500ms',
    );
  });
});
