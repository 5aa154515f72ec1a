import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { createScope } from "../../src/base/scope.ts";
import { startServe } from "../clients/serve.ts";
import { serving } from "../cli/serving.ts";
import type { ServicesFile } from "../../src/schema/input.ts";
import { OUTSIDE } from "./expectation.ts";
import { outputOf } from "../run.ts";
import { type AskAll, askerIn } from "./asking.ts";
import { type EngineState, isSettled, lookAt } from "./engine-state.ts";
import { startEngine, type TestEngine } from "./engine.ts";

/** An engine that manages a Swarm, a Rota that watches it, and one upstream for both. */
export interface Scene extends AsyncDisposable {
  readonly engine: TestEngine;
  /** Where every container reaches Rota. */
  readonly rota: string;
  /** Starts a container of the one image that waits for nothing; gives its id. */
  run(name: string, ...words: readonly string[]): Promise<string>;
  /** What the engine says of itself, once all that is wanted of it is there and nothing else is. */
  settled(isReached?: (state: EngineState) => boolean): Promise<EngineState>;
  /** Who asks from inside a container. */
  askerOf(name: string, state: EngineState): AskAll;
}

/** The engine's own bridge: its address is one of the machine's, which all bridges lead to. */
export const BRIDGE = "172.17.0.1";
/** From a command to what it says: a task that stops is given two seconds by the Swarm, and is killed then. */
const PATIENCE_MS = 30_000;
const LOOK_EVERY_MS = 50;

export async function openScene(): Promise<Scene> {
  await using scope = createScope();
  const folder = await mkdtemp(join(tmpdir(), "rota-scene-"));
  scope.defer(async () => rm(folder, { recursive: true }));
  const engine = scope.use(await startEngine());
  const { docker, socket, enter } = engine;

  // Containers' own servers are those of the machine that the engine sees, at the time they start.
  const resolvConf = join(folder, "resolv.conf");
  await writeFile(resolvConf, "nameserver 127.0.0.1\n");
  const [program = "", ...words] = enter;
  await outputOf(program, [...words, "mount", "--bind", resolvConf, "/etc/resolv.conf"]);
  const beside = enter.slice(0, 2); // its network alone: what a signal ends is then the server itself
  scope.use(
    await startServe(UPSTREAM, { enter: beside, listen: "127.0.0.1:53", words: ["--outside", "nxdomain"] }),
  );

  await docker("swarm", "init", "--advertise-addr", "127.0.0.1");
  const rota = scope.use(
    serving(
      ["--docker", `unix://${socket}`, "--listen", `${BRIDGE}:53`, "--forward", "127.0.0.1", ...FRESH],
      {
        enter: beside,
      },
    ),
  );
  await rota.logs(/answering for/);
  const open = scope.move();

  return {
    engine,
    rota: BRIDGE,
    async run(name, ...words) {
      return (
        await docker("run", "--detach", "--name", name, "--stop-signal", "KILL", ...words, "busybox", ...WAIT)
      ).trim();
    },
    async settled(isReached = () => true) {
      const until = performance.now() + PATIENCE_MS;
      for (;;) {
        const state = await lookAt(socket);
        if (isSettled(state) && isReached(state)) return state;
        if (performance.now() > until)
          throw new Error(`the engine did not get so far: ${JSON.stringify(state.services)}`);
        await setTimeout(LOOK_EVERY_MS);
      }
    },
    askerOf(name, { containers }) {
      const pid = containers.find((one) => one.name === name)?.pid ?? 0;
      return askerIn([...enter, "nsenter", `--net=/proc/${pid}/ns/net`]);
    },
    [Symbol.asyncDispose]: async () => open[Symbol.asyncDispose](),
  };
}

/** Whom both ask for what they do not know. */
const UPSTREAM: ServicesFile = {
  zone: "example",
  services: { www: { endpoint_mode: "dnsrr", tasks: [OUTSIDE.address] } },
};

/** A TTL that was waited for in a cache is another each time. */
const FRESH = ["--cache-size", "0"];

/** What a container does. */
export const WAIT = ["sleep", "100000"] as const;
