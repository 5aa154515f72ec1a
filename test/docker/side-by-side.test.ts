import { expect, vi } from "vitest";
import type { EngineState } from "./engine-state.ts";
import { DOCKER } from "./engine.ts";
import { testNeeding } from "../needing.ts";
import { openScene, WAIT } from "./scene.ts";
import { tellStory } from "./story.ts";
import { composed, FALLS_SICK, QUICK } from "./words.ts";

// A Swarm takes its seconds for each change, and there are many.
vi.setConfig({ testTimeout: 240_000 });

testNeeding({ ...DOCKER, programs: [...(DOCKER.programs ?? []), "dig"] })(
  "whatever happens to containers and services, Rota is right where Docker is asked the same",
  async () => {
    await using scene = await openScene();
    const story = tellStory(scene);
    const { engine, run } = scene;
    const { docker } = engine;
    const service = async (...words: readonly string[]): Promise<void> =>
      void (await docker("service", ...words));

    await Promise.all([
      ...["one", "two", "three"].map(async (name) => docker("network", "create", name)),
      docker("network", "create", "--driver", "overlay", "--attachable", "over"),
    ]);
    // Of one alias on two networks, that of the network whose name is first counts, however old the others are.
    await run("red", "--network", "two", "--network-alias", "search");
    await Promise.all([
      run("blue", "--network", "one", "--network-alias", "search", "--hostname", "bluehost"),
      run("green", "--network", "one", "--network-alias", "search"),
      run("sick", "--network", "one", "--network-alias", "search", ...FALLS_SICK),
      run("shop-web-1", "--network", "two", ...composed("web", 1)),
      run("shop-web-2", "--network", "two", ...composed("web", 2)),
      run("both", "--network", "one").then(async () => docker("network", "connect", "two", "both")),
      run("stranger", "--network", "three"),
      run("guest", "--network", "over"),
    ]);

    const plain = [
      "search",
      "blue",
      "bluehost",
      "{blue}",
      "tasks.search",
      "search.one",
      "search.two",
      "red",
      "SeArCh",
      "nosuch",
      "www.example",
    ];
    const compose = [
      "web",
      "shop-web-2",
      "2.web",
      "web.shop",
      "web.two",
      "_http._tcp.web",
      "web.rota.internal",
    ];
    const isHealthy = ({ containers }: EngineState): boolean =>
      containers.some(({ name, health }) => name === "sick" && health === "healthy");
    await story.phase(
      "Containers on bridges, asked from one that is on two of them",
      "both",
      [...plain, ...compose],
      ALL_TYPES,
      isHealthy,
    );
    await story.phase(
      "Asked from a container on another bridge",
      "stranger",
      ["search", "blue", "web", "web.shop", "search.one"],
      ["A", "TXT"],
    );

    await Promise.all([docker("exec", "sick", "touch", "/sick"), docker("kill", "green")]);
    const isSick = ({ containers }: EngineState): boolean =>
      containers.some(({ name, health }) => name === "sick" && health === "unhealthy");
    await story.phase(
      "One is killed, one is unhealthy",
      "both",
      ["search", "green", "sick", "{sick}"],
      ["A", "AAAA"],
      isSick,
    );
    await Promise.all([docker("start", "green"), docker("rm", "--force", "sick", "red")]);
    await story.phase(
      "One is back, others are removed",
      "both",
      ["search", "green", "sick", "red", "search.two"],
      ["A", "AAAA"],
    );

    const create = async (name: string, alias: string, ...words: readonly string[]): Promise<void> =>
      service(
        "create",
        ...QUICK,
        "--name",
        name,
        "--network",
        `name=over,alias=${alias}`,
        ...words,
        "busybox",
        ...WAIT,
      );
    await Promise.all([
      create(
        "api",
        "backend",
        "--replicas",
        "2",
        "--label",
        "rota.port.http=8080",
        "--label",
        "rota.labels.team=shop",
      ),
      create("ring", "loop", "--replicas", "2", "--endpoint-mode", "dnsrr", "--label", "rota.port.http=8080"),
      create("ward", "beds", "--replicas", "2", "--endpoint-mode", "dnsrr", ...FALLS_SICK),
    ]);
    const shown = ["api", "backend", "tasks.api", "tasks.backend", "ring", "loop", "tasks.ring"];
    const more = [
      "API",
      "api.over",
      "2.api",
      "2.ring",
      "{api.1}",
      "{api.1:container}",
      "_http._tcp.api",
      "_http._tcp.tasks.api",
      "_http._tcp.ring",
      "api.rota.internal",
      "nosuch",
    ];
    await story.phase("Swarm services, with a VIP and without", "guest", [...shown, ...more], ALL_TYPES);
    await story.phase(
      "Asked from a container on no network of theirs",
      "both",
      ["api", "ring", "tasks.api"],
      ["A"],
    );

    const scale = async (replicas: number): Promise<void> =>
      service("scale", "--detach", `api=${replicas}`, `ring=${replicas}`);
    await scale(3);
    await story.phase("Scaled up to 3", "guest", shown, ["A"]);
    await scale(1);
    await story.phase("Scaled down to 1", "guest", [...shown, "2.api"], ["A"]);
    await scale(0);
    await story.phase("Scaled to 0", "guest", shown, ["A", "AAAA"]);
    await scale(2);
    await story.phase("Scaled up again to 2", "guest", shown, ["A"]);
    await docker("exec", await story.containerOf("ward", 1), "touch", "/sick");
    const isGone = ({ services }: EngineState): boolean =>
      services.some(({ name, tasks }) => name === "ward" && tasks.length === 1);
    await story.phase(
      "One of two is unhealthy, and its replacement is yet to come",
      "guest",
      ["ward", "beds", "tasks.ward"],
      ["A"],
      isGone,
    );
    const isUpdated = await story.replaced("api", "ring");
    await Promise.all(
      ["api", "ring"].map(async (name) => service("update", "--detach", "--env-add", "AGE=2", name)),
    );
    await story.phase(
      "Updated, so that all tasks are others",
      "guest",
      [...shown, "2.api"],
      ["A"],
      isUpdated,
    );

    const setMode = async (name: string, mode: string): Promise<void> =>
      service("update", "--detach", "--endpoint-mode", mode, name);
    const isChanged = await story.replaced("api", "ring");
    await Promise.all([setMode("api", "dnsrr"), setMode("ring", "vip")]);
    await story.phase(
      "The one with a VIP has none any more, and the other has one",
      "guest",
      shown,
      ["A"],
      isChanged,
    );
    const isChangedBack = await story.replaced("api", "ring");
    await Promise.all([setMode("api", "vip"), setMode("ring", "dnsrr")]);
    await story.phase("Both are as they were", "guest", shown, ["A"], isChangedBack);
    await scale(0);
    await story.phase("Scaled to 0 after that", "guest", shown, ["A"]);
    await service("rm", "api", "ring", "ward");
    await story.phase("Removed", "guest", shown, ["A"]);

    expect(story.wrong, "Rota is right in every row").toEqual([]);
    expect([...story.notes].toSorted(), "what there is to say of Docker's answers").toEqual(NOTES);
    await expect(story.text()).toMatchFileSnapshot("side-by-side.md");
  },
);

const ALL_TYPES = ["A", "AAAA", "SRV", "TXT", "ANY", "MX", "HTTPS"];

const NOTES = [
  "NXDOMAIN for a name that exists",
  "TTL 600",
  "ghost VIP",
  "has no such name",
  "incomplete", // the VIP that it has now, beside a ghost
  "no SOA",
  "same",
  "unhealthy one",
];
