// What `npm start` runs: two tasks of `web`, and Rota in front of them.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const tasks = [
  ["blue", "127.0.1.1"],
  ["green", "127.0.1.2"],
].map((words) => fork(here("task.js"), words));
// One that cannot listen has said why: Rota goes on without it.
await Promise.all(tasks.map((task) => Promise.race([once(task, "message"), once(task, "exit")])));

const rota = fork(here("../../dist/cli/main.js"), ["serve", here("services.yaml"), ...process.argv.slice(2)]);
// Ctrl-C reaches all of them; whoever ends this one alone means the others, too.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => rota.kill());
const [code] = await once(rota, "exit");
for (const task of tasks) task.kill();
process.exitCode = code ?? 1;
