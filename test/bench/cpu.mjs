import { readFile, readdir } from "node:fs/promises";

/**
 * What a process and all that it started have used so far, in user mode and in the kernel, in microseconds: exact, where
 * /proc/PID/stat counts hundredths of a second. What has ended meanwhile is missing.
 */
export async function cpuOfTree(pid) {
  const threads = await unlessGone(readdir(`/proc/${pid}/task`), []);
  const parts = threads.map(async (thread) => {
    const [onCpuNs = 0] = await wordsOf(`/proc/${pid}/task/${thread}/schedstat`);
    const children = await wordsOf(`/proc/${pid}/task/${thread}/children`);
    return Number(onCpuNs) / 1000 + sum(await Promise.all(children.map(cpuOfTree)));
  });
  return sum(await Promise.all(parts));
}

async function wordsOf(path) {
  const text = await unlessGone(readFile(path, "utf8"), "");
  return text.split(/\s+/).filter(Boolean);
}

async function unlessGone(reading, otherwise) {
  try {
    return await reading;
  } catch (error) {
    if (error.code === "ENOENT" || error.code === "ESRCH") return otherwise;
    throw error;
  }
}

function sum(figures) {
  return figures.reduce((total, figure) => total + figure, 0);
}
