import { type ContainerState, type EngineState, isOfSwarm } from "./engine-state.ts";

/** Calls addresses and ids by what they stand for, so that a table is the same whenever it is made. */
export interface Glossary {
  /** Takes what is there now; what was there before is former. */
  learn(state: EngineState): void;
  /** The text, with each address and id that was ever there by its name. */
  say(text: string): string;
  /** What is wrong with an address in an answer that it should not be in. */
  faultOf(address: string): Fault;
}

export type Fault = "ghost VIP" | "ghost task" | "unhealthy one" | "stranger";

export function createGlossary(): Glossary {
  const words = new Map<string, string>();
  const vips = new Set<string>();
  let now: ReadonlySet<string> = new Set();
  let unhealthy: ReadonlySet<string> = new Set();

  return {
    learn(state) {
      const found = wordsOf(state);
      for (const [word, meaning] of words)
        if (!found.has(word) && !meaning.startsWith("former ")) words.set(word, `former ${meaning}`);
      for (const [word, meaning] of found) words.set(word, meaning);
      for (const [word, meaning] of found) if (meaning.startsWith("VIP ")) vips.add(word);
      now = new Set(found.keys());
      const sick = state.containers.filter(({ health }) => health === "unhealthy");
      unhealthy = new Set(sick.flatMap(({ places }) => places.flatMap(({ address }) => address ?? [])));
    },
    say: (text) => text.replaceAll(/[\da-z.]*\d[\da-z.]*/g, (token) => sayToken(token)),
    faultOf(address) {
      if (unhealthy.has(address)) return "unhealthy one";
      if (now.has(address)) return "stranger";
      return vips.has(address) ? "ghost VIP" : "ghost task";
    },
  };

  function sayToken(token: string): string {
    const address = words.get(token);
    if (address !== undefined && token.includes(".")) return address;
    return token.split(".").map(sayLabel).join(".");
  }

  function sayLabel(label: string): string {
    const word = words.get(label);
    return word === undefined ? label : `<${word}>`;
  }
}

function wordsOf({ containers, services }: EngineState): ReadonlyMap<string, string> {
  const words = new Map<string, string>();
  for (const { name, places, tasks } of services) {
    for (const { network, address } of places)
      if (address !== undefined) words.set(address, `VIP of ${name} on ${network}`);
    for (const { slot, id, places: at, containerId } of tasks) {
      const task = `task ${slot} of ${name}`;
      for (const { address } of at) if (address !== undefined) words.set(address, task);
      words.set(id, `id of ${task}`);
      if (containerId !== "") words.set(containerId.slice(0, 12), `id of the container of ${task}`);
    }
  }
  for (const container of containers) if (!isOfSwarm(container)) sayContainer(container, words);
  return words;
}

function sayContainer({ id, name, places }: ContainerState, words: Map<string, string>): void {
  words.set(id.slice(0, 12), `id of ${name}`);
  for (const { network, address } of places)
    if (address !== undefined) words.set(address, `${name} on ${network}`);
}
