import { compare, compareReverse } from "./compare.ts";
import type { EngineState } from "./engine-state.ts";
import { createGlossary } from "./glossary.ts";
import type { Scene } from "./scene.ts";
import { formatTable, type Row } from "./table.ts";

/** What is asked after each change, and what is found: one table a phase. */
export interface Story {
  /** Asks for all of `names` in all of `types` from inside the container `client`, once the engine got so far. */
  phase(
    title: string,
    client: string,
    names: readonly string[],
    types: readonly string[],
    isReached?: (state: EngineState) => boolean,
  ): Promise<void>;
  /** The container of a service's task. */
  containerOf(service: string, slot: number): Promise<string>;
  /** Says of a state whether all tasks of these services are others than now. */
  replaced(...services: readonly string[]): Promise<(state: EngineState) => boolean>;
  /** What was wrong in Rota's answers so far. */
  readonly wrong: readonly string[];
  /** What was to be said of Docker's, each once. */
  readonly notes: ReadonlySet<string>;
  text(): string;
}

export function tellStory(scene: Scene): Story {
  const glossary = createGlossary();
  const wrong: string[] = [];
  const notes = new Set<string>();
  const parts: string[] = [];

  return {
    async phase(title, name, names, types, isReached) {
      const state = await scene.settled(isReached);
      glossary.learn(state);
      const client = state.containers.find((one) => one.name === name);
      if (!client) throw new Error(`there is no container ${name}`);
      const asker = { client, askAll: scene.askerOf(name, state), rota: scene.rota };
      const questions = names.flatMap((written) =>
        types.map((type) => ({ name: idIn(written, state), type })),
      );
      const asked = [await compare(asker, questions, state, glossary)];
      if (types.length > 2) asked.push(await compareReverse(asker, state, glossary));
      tell(
        title,
        name,
        asked.flatMap(({ rows }) => rows),
      );
      wrong.push(...asked.flatMap((one) => one.wrong).map((line) => `${title}: ${line}`));
    },
    async containerOf(service, slot) {
      return taskIn(service, slot, await scene.settled()).containerId;
    },
    async replaced(...names) {
      const idsOf = ({ services }: EngineState): readonly string[] =>
        services.filter(({ name }) => names.includes(name)).flatMap(({ tasks }) => tasks.map(({ id }) => id));
      const before = new Set(idsOf(await scene.settled()));
      return (state) => idsOf(state).every((id) => !before.has(id));
    },
    wrong,
    notes,
    text: () => `${[ABOUT, ...parts].join("\n\n")}\n`,
  };

  function tell(title: string, client: string, rows: readonly Row[]): void {
    for (const { note } of rows) for (const one of note.split(", ")) notes.add(one);
    parts.push(`## ${title} (from \`${client}\`)`, formatTable(rows));
  }
}

const ABOUT = `# Docker's own DNS server and Rota, side by side

Written by side-by-side.test.ts, which asks both the same from inside the same containers after each change, and works out
what is right from what the engine says of itself. A cell has the status, the flags (without QR and RD), then TTL and data
of each answer; addresses and ids are called by what they belong to.`;

/** `{blue}`: the id of a container; `{web.1}`: a task by all that Docker calls it; `{web.1:container}`: its container's id. */
function idIn(name: string, state: EngineState): string {
  const [, service = "", slot, ending] = /^\{(\w+)(?:\.(\d+))?(:container)?\}$/.exec(name) ?? [];
  if (service === "") return name;
  if (slot === undefined) return shortId(state.containers.find((one) => one.name === service)?.id);
  const { id, containerId } = taskIn(service, Number(slot), state);
  return ending === undefined ? `${service}.${slot}.${id}` : shortId(containerId);
}

function taskIn(
  service: string,
  slot: number,
  { services }: EngineState,
): { readonly id: string; readonly containerId: string } {
  const task = services.find(({ name }) => name === service)?.tasks.find((one) => one.slot === slot);
  if (!task) throw new Error(`there is no task ${slot} of ${service}`);
  return task;
}

function shortId(id = ""): string {
  return id.slice(0, 12);
}
