// Runs the clients where resolv.conf is theirs, which forward-container.mjs starts: node forward-inside.mjs FOLDER

import { execFile, spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { startChild } from "./child.mjs";
import { median } from "./table.mjs";

const NDOTS = [0, 1, 5];
const SEARCHES = ["", "search rota.internal", "search corp.example rota.internal"];
const DEATHS = ["silence", "a closed port"];
/** For comparison: what the machine itself makes clients wait for. */
const NOBODY_DEAD = "nobody dead";
/** Each with the number of its addresses. */
const NAMES = { web: 1, "web.rota.internal": 1, "n1.example": 1, "n2.example": 1, "nosuch.rota.internal": 0 };
/** Nobody but us is here. */
const CLOSED_PORT = 1;

const CARES = `
const { resolve4 } = require("node:dns").promises;
(async () => {
  for (const name of process.argv.slice(1)) {
    const asked = performance.now();
    const found = await resolve4(name).catch(() => []);
    console.log((performance.now() - asked).toFixed(3), found.length, name);
  }
})();`;

const folder = process.argv[2];
const CLIENTS = [
  { client: "glibc", command: [join(folder, "glibc")] },
  { client: "musl", command: [join(folder, "musl")] },
  { client: "c-ares", command: [process.execPath, "-e", CARES, "--"] },
].filter(({ command: [program] }) => spawnSync(program, ["--version"]).error === undefined);

const found = [];
for (const { client, command } of CLIENTS) {
  const alive = await linesOf(command, NOBODY_DEAD);
  const lines = [];
  for (const death of DEATHS) lines.push(...(await linesOf(command, death)));
  const [slowest] = lines.toSorted((one, other) => other.ms - one.ms);
  const isRight = [...alive, ...lines].every(({ count, name }) => count === NAMES[name]);
  found.push({
    client,
    slowestMs: slowest.ms,
    medianMs: median(lines.map(({ ms }) => ms)),
    aliveMs: Math.max(...alive.map(({ ms }) => ms)),
    count: lines.length,
    name: slowest.asked,
    isRight,
  });
}
console.log(JSON.stringify(found));

/** Each client meets a Rota that has just started, and keeps nothing. */
async function linesOf([program, ...words], death) {
  const good = startChild("forward-upstream.mjs", ["is good", 1]);
  const dead = death === "silence" ? startChild("forward-upstream.mjs", ["drops it", 1]) : undefined;
  const deadPort = dead ? (await dead.hear()).port : CLOSED_PORT;
  const { port } = await good.hear();
  const forward = `${death === NOBODY_DEAD ? "" : `127.0.0.1:${deadPort},`}127.0.0.1:${port}`;
  const rota = startChild("forward-server.mjs", [forward, "127.0.0.1:53", 0]);
  try {
    await rota.hear();
    const lines = [];
    for (const ndots of NDOTS) {
      for (const search of SEARCHES) {
        const options = `options timeout:5 attempts:1 ndots:${ndots}`;
        await writeFile(join(folder, "resolv.conf"), `nameserver 127.0.0.1\n${search}\n${options}\n`);
        const { stdout } = await promisify(execFile)(program, [...words, ...Object.keys(NAMES)]);
        for (const line of stdout.trim().split("\n")) {
          const [ms, count, name] = line.split(" ");
          const asked = `${name}, ndots:${ndots}${search === "" ? "" : `, ${search}`}, ${death}`;
          lines.push({ ms: Number(ms), count: Number(count), name, asked });
        }
      }
    }
    return lines;
  } finally {
    await rota.end();
    await good.end();
    await dead?.end();
  }
}
