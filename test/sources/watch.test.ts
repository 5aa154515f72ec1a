import { describe, expect, test } from "vitest";
import { createFolder } from "./folder.ts";
import { fileOf, format, watching } from "./watching.ts";

describe.each([
  ["told by the system", false],
  ["by asking again and again (--poll)", true],
])("changes are seen, %s:", (_, poll) => {
  test("of a file that is written in place", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", fileOf("web", "10.0.0.1"));
    await using watch = await watching([file], { poll });
    expect(format(watch.rosters[0])).toBe("web 10.0.0.1");
    await folder.write("a.yaml", fileOf("web", "10.0.0.1", "10.0.0.2"));
    await watch.counts("web 10.0.0.1 10.0.0.2");
    await folder.write("a.yaml", fileOf("web", "10.0.0.3"));
    await watch.counts("web 10.0.0.3");
  });

  test("of a file that another is put in place of, twice", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", fileOf("web", "10.0.0.1"));
    await using watch = await watching([file], { poll });
    await folder.replace("a.yaml", fileOf("web", "10.0.0.2"));
    await watch.counts("web 10.0.0.2");
    await folder.replace("a.yaml", fileOf("web", "10.0.0.3"));
    await watch.counts("web 10.0.0.3");
  });

  test("of a ConfigMap, whose ..data is swapped under the link", async () => {
    await using folder = await createFolder();
    await folder.write("..1/a.yaml", fileOf("web", "10.0.0.1"));
    await folder.write("..2/a.yaml", fileOf("web", "10.0.0.2"));
    await folder.write("..3/a.yaml", fileOf("web", "10.0.0.3"));
    await folder.link("..data", "..1");
    await folder.link("a.yaml", "..data/a.yaml");
    await using watch = await watching([folder.at("a.yaml")], { poll });
    await folder.link("..data", "..2");
    await folder.remove("..1");
    await watch.counts("web 10.0.0.2");
    await folder.link("..data", "..3");
    await folder.remove("..2");
    await watch.counts("web 10.0.0.3");
  });

  test("of a folder that is itself a link swapped", async () => {
    await using folder = await createFolder();
    await folder.write("one/a.yaml", fileOf("web", "10.0.0.1"));
    await folder.write("two/a.yaml", fileOf("web", "10.0.0.2"));
    await folder.link("now", "one");
    await using watch = await watching([folder.at("now")], { poll });
    await folder.link("now", "two");
    await watch.counts("web 10.0.0.2");
    await folder.write("two/a.yaml", fileOf("web", "10.0.0.3"));
    await watch.counts("web 10.0.0.3");
  });

  test("of a folder that another is made in place of, and then in place of its parent", async () => {
    await using folder = await createFolder();
    await folder.write("etc/rota/a.yaml", fileOf("web", "10.0.0.1"));
    await using watch = await watching([folder.at("etc/rota")], { poll });
    await folder.remove("etc/rota");
    await folder.write("etc/rota/a.yaml", fileOf("web", "10.0.0.2"));
    await watch.counts("web 10.0.0.2");
    await folder.write("etc/rota/a.yaml", fileOf("web", "10.0.0.3"));
    await watch.counts("web 10.0.0.3");
    await folder.remove("etc");
    await watch.told("gone");
    await folder.write("etc/rota/a.yaml", fileOf("web", "10.0.0.4"));
    await watch.counts("web 10.0.0.4");
  });

  test("of a folder that another is put in place of at once", async () => {
    await using folder = await createFolder();
    await folder.write("rota/a.yaml", fileOf("web", "10.0.0.1"));
    await folder.write("next/a.yaml", fileOf("web", "10.0.0.2"));
    await using watch = await watching([folder.at("rota")], { poll });
    folder.exchange("rota", "next");
    await watch.counts("web 10.0.0.2");
    await folder.write("rota/a.yaml", fileOf("web", "10.0.0.3"));
    await watch.counts("web 10.0.0.3");
    await folder.write("rota/b.yaml", fileOf("db"));
    await watch.counts("web 10.0.0.3, db");
  });

  test("of a folder that gets a new file", async () => {
    await using folder = await createFolder();
    await folder.write("a.yaml", fileOf("web", "10.0.0.1"));
    await using watch = await watching([folder.path], { poll });
    await folder.write("b.json", '{ "services": { "db": {} } }');
    await watch.counts("web 10.0.0.1, db");
    await folder.write("b.json", '{ "services": { "dbs": {} } }');
    await watch.counts("web 10.0.0.1, dbs");
  });

  test("of a file that is taken away and put back", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", fileOf("web", "10.0.0.1"));
    await using watch = await watching([file], { poll });
    await folder.remove("a.yaml");
    expect(await watch.told("gone")).toBe(
      `${file}: is gone; what it said stays: put it back, write \`services: {}\` into it, or restart`,
    );
    await folder.write("a.yaml", fileOf("web", "10.0.0.2"));
    await watch.counts("web 10.0.0.2");
    expect(await watch.told("recovered")).toBe(`${file}: is good again`);
    expect(watch.rosters.map(format)).toEqual(["web 10.0.0.1", "web 10.0.0.2"]);
  });
});

describe("what a file said before stays", () => {
  const good = fileOf("web", "10.0.0.1");

  test.each([
    [
      "breaks",
      "services:\n  web: { ttl: never }\n",
      '2:15: services.web.ttl: "never" is not a duration: write it as 5s, 1m30s or 500ms',
    ],
    ["is half-written", "services: { web: { tasks: [", "1:28: not valid YAML: "],
    ["is emptied", "", " is empty: write `services: {}` into it to declare nothing"],
    [
      "names a network that is none",
      "services:\n  web: { networks: [x] }\n",
      '2:21: services.web.networks[0]: network "x" is not declared: declare it under networks',
    ],
  ])("when it %s, and the log says where; mended, it counts", async (_, bad, message) => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", good);
    await using watch = await watching([file]);
    await folder.write("a.yaml", bad);
    const told = await watch.told("problem");
    expect(told).toContain(`${file}:${message}`);
    expect(told).toMatch(/; what it said before stays$/);
    await folder.write("a.yaml", fileOf("web", "10.0.0.2"));
    expect(await watch.told("recovered")).toBe(`${file}: is good again`);
    await watch.counts("web 10.0.0.2");
    expect(watch.rosters.map(format)).toEqual(["web 10.0.0.1", "web 10.0.0.2"]);
  });

  test("with the place as fields, for machines", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", good);
    await using watch = await watching([file]);
    await folder.write("a.yaml", "services:\n  web: { ttl: never }\n");
    await watch.told("problem");
    expect(watch.reports.at(-1)).toMatchObject({ kind: "problem", file, line: 2, column: 15 });
  });

  test("when it is put back as it was, without a word to the roster", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", good);
    await using watch = await watching([file]);
    await folder.write("a.yaml", "");
    await watch.told("problem");
    await folder.write("a.yaml", good);
    await watch.told("recovered");
    expect(watch.rosters.length).toBe(1);
  });

  test("when it is a folder by now", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", good);
    await using watch = await watching([file]);
    await folder.remove("a.yaml");
    await watch.told("gone");
    await folder.write("a.yaml/b.yaml", fileOf("db"));
    await watch.counts("db, web 10.0.0.1");
  });

  test("unless it says that it declares nothing", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", good);
    await using watch = await watching([file]);
    await folder.write("a.yaml", "services: {}\n");
    await watch.counts("");
  });

  test("in each file by itself: one that is broken holds up no other", async () => {
    await using folder = await createFolder();
    await folder.write("a.yaml", fileOf("web", "10.0.0.1"));
    await folder.write("b.yaml", fileOf("db", "10.0.1.1"));
    await using watch = await watching([folder.path]);
    await folder.write("a.yaml", "services: [");
    await watch.told("problem");
    await folder.write("b.yaml", fileOf("db", "10.0.1.2"));
    await watch.counts("web 10.0.0.1, db 10.0.1.2");
    await folder.write("c.yaml", "services: [");
    expect(await watch.told("problem")).toMatch(/c\.yaml:1:12: .*; the file is left out$/);
  });

  test("when a change breaks another file, and both are told of", async () => {
    await using folder = await createFolder();
    const nets = await folder.write("nets.yaml", "networks: { front: { vips: 10.0.0.0/24 } }\n");
    const web = await folder.write("web.yaml", "services:\n  web:\n    networks: [front]\n");
    await using watch = await watching([folder.path]);
    await folder.write("nets.yaml", "networks: { back: { vips: 10.0.0.0/24 } }\n");
    expect(await watch.told("problem")).toBe(
      `${web}:3:16: services.web.networks[0]: network "front" is not declared: declare it under networks; what it said before stays`,
    );
    expect(await watch.told("problem")).toBe(
      `${nets}: its change does not go with ${web}; what it said before stays`,
    );
    await folder.write("web.yaml", "services:\n  web:\n    networks: [back]\n    aliases: [www]\n");
    await watch.told("recovered");
    expect(watch.service("web")?.networks).toEqual(["back"]);
  });

  test("when a file of a folder goes, until another file says otherwise for good", async () => {
    await using folder = await createFolder();
    await folder.write("a.yaml", 'services: { web: { tasks: ["10.0.0.1"] }, db: {} }\n');
    await using watch = await watching([folder.path]);
    await folder.move("a.yaml", "b.yaml");
    await watch.told("gone");
    expect(format(watch.rosters.at(-1))).toBe("web 10.0.0.1, db");
    await folder.write("b.yaml", fileOf("web", "10.0.0.2"));
    await watch.counts("web 10.0.0.2");
  });
});

describe("the first reading", () => {
  test.each([
    [
      "bad",
      "services: { web: { ttl: never } }",
      ':1:25: services.web.ttl: "never" is not a duration: write it as 5s, 1m30s or 500ms',
    ],
    ["empty", "", ": is empty: write `services: {}` into it to declare nothing"],
    ["missing", undefined, ": could not be read: there is no such file or folder"],
  ])("fails if a file is %s", async (_, text, message) => {
    await using folder = await createFolder();
    const file = folder.at("a.yaml");
    if (text !== undefined) await folder.write("a.yaml", text);
    await expect(watching([file])).rejects.toThrow(
      expect.objectContaining({
        code: "ERR_ROTA_SERVICES_FILE",
        message: `could not take the services files: ${file}${message}`,
      }),
    );
  });

  test("of a folder that has no services files yet publishes nothing, and says so", async () => {
    await using folder = await createFolder();
    await using watch = await watching([folder.path]);
    expect(await watch.told("warning")).toBe(`${folder.path}: has no *.yaml, *.yml or *.json in it yet`);
    await folder.write("a.yaml", fileOf("web"));
    await watch.counts("web");
  });

  test("warns of what does not do as one may think, once", async () => {
    await using folder = await createFolder();
    const web = "services:\n  web:\n    healthcheck: { test: exit 0 }\n";
    const file = await folder.write("a.yaml", web);
    await using watch = await watching([file], { allowExec: true });
    await folder.write("a.yaml", `# moved\n${web}    ttl: 7\n`);
    await watch.told("read");
    await watch.told("read");
    expect(watch.reports.filter(({ kind }) => kind === "warning").map(({ message }) => message)).toEqual([
      `${file}:3:26: services.web.healthcheck.test: is run on this machine, not in a container`,
    ]);
  });
});

describe("a declaration that did not change is the same object", () => {
  test("when others change, and when it moves within the file", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", "services:\n  web: { max_answers: 2 }\n  db: {}\n");
    await using watch = await watching([file]);
    const [web, db] = [watch.service("web"), watch.service("db")];
    await folder.write("a.yaml", "services:\n  new: {}\n  db: { ttl: 7 }\n\n  web: { max_answers: 2 }\n");
    await watch.counts("new, db, web");
    expect(watch.service("web")).toBe(web);
    expect(watch.service("web")?.maxAnswers).toBe(2);
    expect(watch.service("db")).not.toBe(db);
    expect(watch.service("new")?.maxAnswers).toBe(Infinity);
  });

  test("when only a comment changes: then nothing is published at all", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", fileOf("web"));
    await using watch = await watching([file]);
    await folder.write("a.yaml", `# why\n${fileOf("web")}`);
    await watch.told("read");
    await watch.told("read");
    expect(watch.rosters.length).toBe(1);
  });

  test("when a file is so large that a thread reads it", async () => {
    const services = Array.from(
      { length: 2000 },
      (_, at) => `  s${at}:\n    ports: [80]\n    tasks: ["10.1.${at >> 8}.${at & 255}:81"]\n`,
    );
    services[7] += "    healthcheck: { exec: exit 0 }\n";
    const text = `services:\n${services.join("")}`;
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", text);
    await using watch = await watching([file], { allowExec: true });
    const before = watch.rosters[0]?.services ?? [];
    expect(before.length).toBe(2000);
    expect([...(before[7]?.tasks[0]?.ports ?? [])]).toEqual([["80", 81]]);
    expect(before[7]?.check?.probe.kind).toBe("exec");
    await folder.write("a.yaml", `# moved\n${text.replace("10.1.0.7:81", "10.2.0.7:82")}`);
    await watch.told("read");
    await watch.told("read");
    const after = watch.rosters[1]?.services ?? [];
    expect(after.flatMap((service, at) => (service === before[at] ? [] : [at]))).toEqual([7]);
    expect([...(after[7]?.tasks[0]?.ports ?? [])]).toEqual([["80", 82]]);
    await folder.write("a.yaml", `${text}  x: [`);
    expect(await watch.told("problem")).toContain(`${file}:6003:7: not valid YAML`);
  });
});

describe("a watch", () => {
  test("looks again when it is told to, though nothing rang", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", fileOf("web", "10.0.0.1"));
    await using watch = await watching([file]);
    await folder.write("a.yaml", fileOf("web", "10.0.0.2"));
    await watch.watch.reload();
    expect(format(watch.rosters.at(-1))).toBe("web 10.0.0.2");
    await watch.watch.reload();
    expect(watch.rosters.length).toBe(2);
  });

  test("ends with its signal, and a reload after that does nothing", async () => {
    await using folder = await createFolder();
    const file = await folder.write("a.yaml", fileOf("web"));
    const ended = await watching([file]);
    await ended[Symbol.asyncDispose]();
    await ended.watch.reload();
    expect(ended.rosters.length).toBe(1);
  });
});
