import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, symlink } from "node:fs/promises";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { createScope, type Scope } from "../../src/base/scope.ts";
import { type Serving, serving } from "../cli/serving.ts";
import { MAIN } from "../cli/run.ts";
import { type Namespace, openNamespace, testInNamespace } from "../clients/namespace.ts";
import { testNeeding } from "../needing.ts";
import { outputOf } from "../run.ts";
import { createFolder, type Folder } from "../sources/folder.ts";

const FILE = `networks:
  front: { subnets: [10.61.0.0/16, "fd61::/64"], vips: [10.64.0.0/24, "fd64::/112"] }
services:
  web:
    networks: [front]
    ports: [{ name: http, target: 8080, port: 80, published: 30080 }]
    tasks:
      - { id: red, address: [10.61.1.11, "fd61::11"] }
      - { id: blue, address: [10.61.1.12, "fd61::12"] }
`;

const TASK = `
const [name, ...addresses] = process.argv.slice(1);
for (const address of addresses)
  require("node:http").createServer((_, response) => response.end(name + "\\n")).listen(8080, address);
console.log("listening");`;

const NEEDS = { root: true, programs: ["nft", "conntrack", "ip", "curl", "dig"] };

/** A machine with two tasks on it, and nothing that carries traffic yet. */
interface Machine {
  readonly namespace: Namespace;
  readonly folder: Folder;
  readonly file: string;
  readonly scope: Scope;
  serve(words?: readonly string[], variables?: Record<string, string>): Promise<Serving>;
  inside(...words: string[]): Promise<string>;
}

async function openMachine(): Promise<Machine> {
  const scope = createScope();
  const namespace = scope.use(await openNamespace());
  const folder = scope.use(await createFolder());
  const file = await folder.write("services.yaml", FILE);
  await chmod(folder.path, 0o755); // for nobody
  const inside = async (program: string, ...words: string[]): Promise<string> =>
    outputOf(namespace.enter[0] ?? "", [...namespace.enter.slice(1), program, ...words]);
  const machine: Machine = {
    namespace,
    folder,
    file,
    scope,
    async serve(words = [], variables = {}) {
      const server = scope.use(
        serving([file, "--plane", "auto", "--listen", "127.0.0.1:5300", ...words], {
          enter: namespace.enter,
          variables: { ROTA_CONTROL: folder.at("control.sock"), ...variables },
        }),
      );
      await server.logs(/answering for/);
      return server;
    },
    inside: async (...words) => inside(words[0] ?? "", ...words.slice(1)),
  };
  for (const [name, ...addresses] of [
    ["red", "10.61.1.11", "fd61::11"],
    ["blue", "10.61.1.12", "fd61::12"],
  ]) {
    for (const address of addresses) {
      const length = address.includes(":") ? "128" : "32";
      await inside("ip", "addr", "add", `${address}/${length}`, "dev", "lo");
    }
    const [program = "", ...rest] = [
      ...namespace.enter,
      process.execPath,
      "-e",
      TASK,
      name ?? "",
      ...addresses,
    ];
    const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
    scope.defer(async () => endOf(child));
    await once(createInterface(child.stdout), "line");
  }
  return machine;
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** What `web` leads to, asked by its name. */
async function vip({ inside }: Machine, type = "A"): Promise<string> {
  return (await inside("dig", "@127.0.0.1", "-p", "5300", "+short", "web", type)).trim();
}

async function fetched({ inside }: Machine, url: string, times = 4): Promise<string> {
  const names = [];
  for (let time = 0; time < times; time++)
    names.push((await inside("curl", "-sS", "--max-time", "5", url)).trim());
  return [...new Set(names)].toSorted().join(" ");
}

describe("rota serve as root carries by nftables", () => {
  let machine: Machine;
  beforeAll(async () => {
    machine = await openMachine();
  });
  afterAll(async () => machine.scope[Symbol.asyncDispose]());

  testInNamespace(NEEDS)("from a name to the tasks, and a published port at every address", async () => {
    const server = await machine.serve();
    expect(await fetched(machine, `http://${await vip(machine)}/`, 24)).toBe("blue red");
    expect(await fetched(machine, `http://[${await vip(machine, "AAAA")}]/`, 24)).toBe("blue red");
    // Not loopback's own, and those: the one by the kernel, the others by the process beside it.
    for (const host of ["10.61.1.11", "127.0.0.1", "[::1]", "[fd61::11]"])
      expect(await fetched(machine, `http://${host}:30080/`, 24), host).toBe("blue red");
    const shown = await machine.inside(
      process.execPath,
      MAIN,
      "plane",
      "--control",
      machine.folder.at("control.sock"),
    );
    expect(shown).toMatch(/^nftables: 1 service$/m);
    expect(shown).toMatch(/^ {4}red +10\.61\.1\.11:8080 +weight 1 +\d+ flows/m);
    expect(shown).not.toContain("trouble");
    server.child.kill("SIGKILL");
    await server.exit;
  });

  testInNamespace(NEEDS)("goes on while Rota is not there, and is taken over by the next", async () => {
    const first = await machine.serve();
    const url = `http://${await vip(machine)}/`;
    first.child.kill("SIGKILL");
    await first.exit;
    expect(await fetched(machine, url, 24)).toBe("blue red");
    const next = await machine.serve();
    expect(await fetched(machine, url, 24)).toBe("blue red");
    await machine.folder.write("services.yaml", FILE.replace(/^.*id: blue.*\n/m, ""));
    await next.logs(/service web has 1 task/);
    await expect.poll(async () => fetched(machine, url, 8)).toBe("red");
    await machine.folder.write("services.yaml", FILE);
    await next.logs(/service web has 2 tasks/);
    next.child.kill("SIGTERM");
    expect(await next.exit).toBe(0);
    expect(await machine.inside("nft", "list", "tables")).toContain("table inet rota");
    const last = await machine.serve(["--plane-cleanup"]);
    last.child.kill("SIGTERM");
    expect(await last.exit).toBe(0);
    expect(await machine.inside("nft", "list", "ruleset")).toBe("");
    expect(await machine.inside("ip", "route", "show", "table", "local")).not.toContain("10.64.0.0");
  });

  testInNamespace(NEEDS)("nothing where nothing is to be carried by a kernel", async () => {
    await machine.folder.write(
      "services.yaml",
      "services: { web: { ports: [18081], tasks: [10.61.1.11] } }\n",
    );
    const server = await machine.serve();
    expect(await machine.inside("nft", "list", "ruleset")).toBe("");
    server.child.kill("SIGTERM");
    await server.exit;
    await machine.folder.write("services.yaml", FILE);
  });
});

describe("what keeps traffic from being carried is told in a sentence, and DNS answers:", () => {
  const NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];

  interface Case {
    readonly words?: readonly string[];
    readonly programs?: readonly string[];
    readonly enter?: readonly string[];
    readonly before?: (machine: Machine) => Promise<unknown>;
    readonly says: RegExp;
  }

  const cases: Readonly<Record<string, Case>> = {
    "no nft": {
      words: ["--plane", "nftables"],
      programs: ["ip", "conntrack"],
      says: /nft is not installed: .*apt-get install nftables/,
    },
    "no conntrack": {
      programs: ["ip", "nft", "sh"],
      says: /conntrack.*apt-get install conntrack/,
    },
    "no shell": {
      words: ["--plane", "nftables"],
      programs: ["ip", "nft"],
      says: /could not use the plane nftables: sh is not installed/,
    },
    "no right": { words: ["--plane", "nftables"], enter: NOBODY, says: /nftables.*CAP_NET_ADMIN/ },
    "no ipvs": {
      words: ["--plane", "ipvs"],
      programs: ["ip", "nft"],
      says: /could not use the plane ipvs: /,
    },
    "VIPs that are routed elsewhere": {
      before: async ({ inside }) => {
        await inside("ip", "link", "add", "up0", "type", "bridge");
        await inside("ip", "addr", "add", "10.99.0.1/24", "dev", "up0");
        await inside("ip", "link", "set", "up0", "up");
        await inside("ip", "route", "add", "10.64.0.0/24", "via", "10.99.0.9");
      },
      says: /10\.64\.0\.0\/24.*10\.99\.0\.9/,
    },
    "a published port in use": {
      before: async ({ namespace, scope }) => {
        const [program, ...rest] = [
          ...namespace.enter,
          process.execPath,
          "-e",
          'require("node:net").createServer().listen(30080, () => console.log("listening"));',
        ];
        const child = spawn(program, rest, { stdio: ["ignore", "pipe", "inherit"] });
        scope.defer(async () => endOf(child));
        await once(createInterface(child.stdout), "line");
      },
      says: /30080.*\(pid \d+\)/,
    },
    "IPv6 that is off": {
      before: async ({ inside }) => inside("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1"),
      says: /IPv6/,
    },
  };

  for (const [name, { words = ["--plane", "auto"], programs, enter, before, says }] of Object.entries(
    cases,
  )) {
    testNeeding({ ...NEEDS, programs: [...NEEDS.programs, "setpriv", "sysctl", "unshare", "nsenter"] })(
      name,
      async () => {
        const machine = await openMachine();
        await using _ = machine.scope;
        await before?.(machine);
        const path: string[] = [];
        if (programs) {
          const bin = machine.folder.at("bin");
          await mkdir(bin);
          for (const program of programs) {
            const place = (await outputOf("sh", ["-c", `command -v ${program}`])).trim();
            await symlink(place, `${bin}/${program}`);
          }
          path.push("env", `PATH=${bin}`);
        }
        const { folder, namespace, file } = machine;
        const started = machine.scope.use(
          serving([file, "--listen", "127.0.0.1:5300", ...words], {
            enter: [...namespace.enter, ...path, ...(enter ?? [])],
            variables: { ROTA_CONTROL: enter ? "none" : folder.at("control.sock") },
          }),
        );
        expect(await started.logs(says)).toMatch(/WARN/);
        await started.logs(/answering for/);
        expect(await vip(machine)).toMatch(/^10\.64\.0\.\d+$/);
      },
    );
  }
});
