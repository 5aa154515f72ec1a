import { afterEach, beforeEach, expect, test } from "vitest";
import { type Rota, type ServicesChange, startRota } from "../../src/index.ts";
import { createScope, type Scope } from "../../src/base/scope.ts";
import { createFolder, type Folder } from "../sources/folder.ts";
import { asking } from "./asking.ts";

let scope: Scope;
let folder: Folder;

beforeEach(async () => {
  scope = createScope();
  folder = scope.use(await createFolder());
});

afterEach(async () => scope[Symbol.asyncDispose]());

/** Started with a services file that says this. */
async function startedWith(text: string): Promise<Rota> {
  return scope.use(await startRota({ files: [await folder.write("services.yaml", text)] }));
}

test("a change of a file is followed, and what code declared stays", async () => {
  const rota = await startedWith("services: { web: { endpoint_mode: dnsrr, tasks: [10.0.0.1] } }");
  const ask = asking(rota);
  await rota.declare("api", { endpoint_mode: "dnsrr", tasks: ["10.0.0.9"] });

  const changed = nextChange(rota);
  await folder.write("services.yaml", "services: { web: { endpoint_mode: dnsrr, tasks: [10.0.0.2] } }");
  const { services } = await changed;
  expect(services.map(({ after }) => after?.name)).toEqual(["web"]);
  expect(await ask.addresses("web")).toEqual(["10.0.0.2"]);
  expect(await ask.addresses("api")).toEqual(["10.0.0.9"]);
});

test("reload() resolves when what the file says now is in answers", async () => {
  const rota = await startedWith("services: {}");
  await folder.write("services.yaml", "services: { web: { endpoint_mode: dnsrr, tasks: [10.0.0.2] } }");
  await rota.reload();
  expect(await asking(rota).addresses("web")).toEqual(["10.0.0.2"]);
});

test("of a name that file and code claim, the file keeps it and the conflict is told", async () => {
  const rota = await startedWith("services:\n  web: { endpoint_mode: dnsrr, tasks: [10.0.0.1] }\n");
  const ask = asking(rota);
  expect(rota.conflicts()).toEqual([]);
  await rota.declare("blog", { endpoint_mode: "dnsrr", aliases: ["web"], tasks: ["10.0.0.2"] });
  expect(rota.conflicts()).toEqual([
    {
      name: "web",
      holder: { name: "web", origin: `${folder.at("services.yaml")}:2:3` },
      others: [{ name: "blog", origin: "rota.declare" }],
    },
    // What stands beneath the name, both claim as well.
    expect.objectContaining({ name: "tasks.web" }),
  ]);
  expect(await ask.addresses("web")).toEqual(["10.0.0.1"]);
  expect(await ask.addresses("blog")).toEqual(["10.0.0.2"]);

  await folder.write("services.yaml", "services: {}\n");
  await rota.reload();
  expect(rota.conflicts()).toEqual([]);
  expect(await ask.addresses("web")).toEqual(["10.0.0.2"]);
});

test("code may name the networks that a file declares", async () => {
  const rota = await startedWith("networks: { lan: { subnets: [10.0.0.0/24], vips: 10.0.0.128/25 } }");
  await rota.declare("web", { networks: ["lan"], tasks: ["10.0.0.1"] });
  expect(await asking(rota).addresses("web")).toEqual([expect.stringMatching(/^10\.0\.0\./)]);
});

async function nextChange(rota: Rota): Promise<ServicesChange> {
  const ends = new AbortController();
  const change = await new Promise<ServicesChange>((resolve) => {
    rota.follow(resolve, ends.signal);
  });
  ends.abort();
  return change;
}
