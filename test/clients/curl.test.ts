import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect } from "vitest";
import type { Needs } from "../needing.ts";
import { openContainer, PATIENT } from "./container.ts";
import { type Namespace, testInNamespace } from "./namespace.ts";
import { run } from "./run.ts";
import { VIP } from "./services.ts";
import { shared } from "./shared.ts";

// curl fetches by name, from a web server that says at which address it was reached.

interface Site extends Namespace {
  fetch(...words: string[]): Promise<string>;
}

const site = shared(openSite);

const TABLE: readonly { url: string; reaches: string; words?: readonly string[]; needs?: Needs }[] = [
  { url: "http://blue.web:8080/", reaches: "127.0.1.1" },
  { url: "http://2.web.rota.internal:8080/", reaches: "127.0.1.2" },
  { url: "http://CART.shop.rota.internal:8080/", reaches: "127.0.3.2" },
  { url: "http://web:8080/", reaches: VIP },
  { url: "http://dual:8080/", words: ["-4"], reaches: "127.0.3.1" },
  { url: "http://dual:8080/", words: ["-6"], reaches: "::1", needs: { ipv6: true } },
];

for (const { url, reaches, words = [], needs = {} } of TABLE) {
  testInNamespace({ ...needs, programs: ["curl"] })(
    ["curl", ...words, url, "reaches", reaches].join(" "),
    async () => {
      const { fetch } = await site();
      expect(await fetch(...words, url)).toBe(reaches);
    },
  );
}

testInNamespace({ programs: ["curl"] })(
  "curl reaches every task in as many fetches as there are",
  async () => {
    const { fetch } = await site();
    const reached = [];
    for (let fetches = 0; fetches < 3; fetches++) reached.push(await fetch("http://api:8080/"));
    expect(reached.toSorted()).toEqual(["127.0.2.1", "127.0.2.2", "127.0.2.3"]);
  },
);

testInNamespace({ programs: ["curl"] })("curl is told at once that there is no such name", async () => {
  const { enter, setResolvConf } = await site();
  await setResolvConf(PATIENT);
  const { code, stderr } = await run([...enter, "curl", "-sS", "http://nosuch.rota.internal:8080/"]);
  expect({ code, stderr }).toEqual({
    code: 6,
    stderr: "curl: (6) Could not resolve host: nosuch.rota.internal\n",
  });
});

const SERVER = `require("node:http")
  .createServer((request, response) => response.end(request.socket.localAddress.replace("::ffff:", "")))
  .listen(8080, () => console.log("listening"))`;

async function openSite(): Promise<Site> {
  const container = await openContainer();
  const { enter } = container;
  const command = [...enter, process.execPath, "-e", SERVER];
  const server = spawn(command[0] ?? "", command.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
  await Promise.race([once(server.stdout, "data"), once(server, "exit")]);
  return {
    ...container,
    async fetch(...words) {
      const { stdout, stderr } = await run([...enter, "curl", "-sS", "--noproxy", "*", ...words]);
      return stdout + stderr;
    },
    async [Symbol.asyncDispose]() {
      const exit = once(server, "exit");
      if (server.kill("SIGTERM")) await exit;
      await container[Symbol.asyncDispose]();
    },
  };
}
