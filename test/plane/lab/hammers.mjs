// Clients that connect, ask and close without a pause, while a test changes what they reach.

import { askTcp, bump, codeOf } from "./questions.mjs";

/** How many failures are told in full. */
const TOLD = 8;

/** Hammers by name. */
export function createHammers() {
  const hammers = new Map();

  /** Begins, and resolves when each client has been answered once. */
  async function hammer({ hammer: name, clients, from = [], ...target }) {
    const begun = startHammer({ clients, from, target });
    hammers.set(name, begun);
    await begun.turn();
  }

  /** Resolves when no connection is left that was under way before: each client has begun another. */
  async function turn({ hammer: name }) {
    await hammers.get(name).turn();
  }

  /** What came of its connections until now. */
  function soFar({ hammer: name }) {
    return hammers.get(name).counts;
  }

  /** Ends it, and tells what came of all of its connections. */
  async function rest({ hammer: name }) {
    const ended = await hammers.get(name).rest();
    hammers.delete(name);
    return ended;
  }

  return { hammer, turn, soFar, rest };
}

function startHammer({ clients, from, target }) {
  const counts = { done: 0, failures: {}, first: [], names: {}, slowestMs: 0 };
  const turns = Array.from({ length: clients }, () => 0);
  const waiting = new Set();
  const resting = new AbortController();

  const client = async (index) => {
    const source = from.length > 0 ? from[index % from.length] : undefined;
    while (!resting.signal.aborted) {
      const began = performance.now();
      try {
        const { name } = await askTcp({ ...target, from: source });
        counts.done += 1;
        bump(counts.names, name);
      } catch (error) {
        bump(counts.failures, codeOf(error));
        const ms = Math.round(performance.now() - began);
        if (counts.first.length < TOLD) {
          counts.first.push(`${codeOf(error)} after ${ms} ms, after ${counts.done} were answered`);
        }
      }
      counts.slowestMs = Math.max(counts.slowestMs, performance.now() - began);
      turns[index] += 1;
      for (const look of waiting) look();
    }
  };
  const all = Promise.all(turns.map((_, index) => client(index)));

  return {
    counts,
    turn() {
      const before = [...turns];
      return new Promise((resolve) => {
        const look = () => {
          if (!turns.every((turn, index) => turn > before[index])) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
      });
    },
    async rest() {
      resting.abort();
      await all;
      return counts;
    },
  };
}
