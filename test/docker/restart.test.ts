import { expect, vi } from "vitest";
import { serving } from "../cli/serving.ts";
import { listOf, readDig } from "../clients/read-dig.ts";
import { repliesTo } from "./asking.ts";
import { lookAt } from "./engine-state.ts";
import { DOCKER, startEngine } from "./engine.ts";
import { testNeeding } from "../needing.ts";
import { BRIDGE, WAIT } from "./scene.ts";

// Two starts of an engine.
vi.setConfig({ testTimeout: 90_000 });

testNeeding({ ...DOCKER, programs: [...(DOCKER.programs ?? []), "dig"] })(
  "no answer is lost or emptied while the engine is killed and started again",
  async () => {
    // What runs goes on without it.
    await using engine = await startEngine("--live-restore");
    const { docker, socket, enter } = engine;
    await using rota = serving(["--docker", `unix://${socket}`, "--listen", `${BRIDGE}:53`], {
      enter: enter.slice(0, 2), // its network alone: see scene.ts
    });
    await docker("network", "create", "one");
    const names = ["blue", "green", "red", "guest"];
    await Promise.all(
      names.map(async (name) =>
        docker(
          "run",
          "--detach",
          "--name",
          name,
          "--network",
          "one",
          "--network-alias",
          "all",
          "busybox",
          ...WAIT,
        ),
      ),
    );
    const { containers } = await lookAt(socket);
    const pid = containers.find(({ name }) => name === "guest")?.pid;
    const addresses = containers
      .flatMap(({ places }) => places.flatMap(({ address }) => address ?? []))
      .toSorted();
    const inside = [...enter, "nsenter", `--net=/proc/${pid}/ns/net`];

    /** What came to so many questions, each kind once, with how often. */
    const ask = async (): Promise<Record<string, number>> => {
      const replies = await repliesTo(inside, BRIDGE, QUESTIONS);
      const told = replies.map((reply) => listOf(readDig(reply)).join("; "));
      return Object.fromEntries(
        [...new Set(told)].map((one) => [one, told.filter((other) => other === one).length]),
      );
    };
    const whole = ["NOERROR aa rd", ...addresses.map((address) => `all. 5 A ${address}`)].join("; ");
    await vi.waitFor(async () => expect(await ask()).toEqual({ [whole]: QUESTIONS.length }), PATIENCE);

    const over = new AbortController();
    const restart = async (): Promise<void> => {
      try {
        await engine.stop("KILL");
        await engine.start();
        await rota.logs(/can be asked again/);
      } finally {
        over.abort();
      }
    };
    const watch = async (): Promise<void> => {
      while (!over.signal.aborted) expect(await ask()).toEqual({ [whole]: QUESTIONS.length });
    };
    await Promise.all([restart(), watch()]);
    expect(await ask()).toEqual({ [whole]: QUESTIONS.length });

    // And it is heard again.
    await docker("kill", "red");
    const red = containers.find(({ name }) => name === "red")?.places[0]?.address;
    const fewer = whole.split("; ").filter((record) => !record.endsWith(` ${red}`));
    await vi.waitFor(
      async () => expect(await ask()).toEqual({ [fewer.join("; ")]: QUESTIONS.length }),
      PATIENCE,
    );
  },
);

/** From a change to its answer, which is asked for again and again. */
const PATIENCE = { timeout: 10_000 };
/** As many as are asked in a fraction of a second. */
const QUESTIONS = Array.from({ length: 200 }, () => ({ name: "all", type: "A" }));
