import { fork, spawnSync } from "node:child_process";
import { on, once } from "node:events";

/**
 * Starts a script of this folder in a process of its own. It ends by itself when this process does: whatever is
 * started this way exits once it is disconnected.
 *
 * @param flags of Node
 * @param core which one it is kept on, where there are two and `taskset` is; undefined: any
 * @param enter what runs a command somewhere else and becomes it, in front of that command; not together with `core`
 */
export function startChild(script, args, { flags = [], core, enter } = {}) {
  const options = enter
    ? entered(flags, enter)
    : core !== undefined && canPin()
      ? pinned(flags, core)
      : { execArgv: flags };
  const child = fork(new URL(script, import.meta.url), args.map(String), options);
  const messages = on(child, "message", { close: ["exit"] });

  return {
    tell: (message) => void child.send(message),
    /** What it says next. */
    async hear() {
      const { value, done } = await messages.next();
      if (done) throw new Error(`${script} ended before it had said what it found`);
      return value[0];
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, "exit");
      child.kill("SIGKILL"); // nothing of it is to outlive it
      await exited;
    },
  };
}

let isPinning;

/** Whether a process can be kept on core 0, and another on core 1. */
export function canPin() {
  isPinning ??= spawnSync("taskset", ["--cpu-list", "0,1", "true"]).status === 0;
  return isPinning;
}

function entered(flags, [program, ...words]) {
  return { execPath: program, execArgv: [...words, process.execPath, ...flags] };
}

function pinned(flags, core) {
  return { execPath: "taskset", execArgv: ["--cpu-list", String(core), process.execPath, ...flags] };
}
