// Stands between a guest's console and its hub, and says how much of the console's input has been read: whoever writes
// there must not have more on its way than the console holds. See window.ts.

import { spawn } from "node:child_process";

/** As window.ts has it. */
const READ = "~";

const [, , script] = process.argv;
const hub = spawn(process.execPath, [script], { stdio: ["pipe", "pipe", "inherit"] });
hub.stdin.on("error", () => {}); // it has ended, and so will this

let line = "";
hub.stdout.setEncoding("utf8").on("data", (text) => {
  // Whole lines, so that what was read is not told in the midst of one.
  const end = text.lastIndexOf("\n") + 1;
  if (end > 0) process.stdout.write(line + text.slice(0, end));
  line = end > 0 ? text.slice(end) : line + text;
});
process.stdin.on("data", (octets) => {
  process.stdout.write(`${READ}${octets.length}\n`);
  hub.stdin.write(octets);
});
process.stdin.on("end", () => hub.stdin.end());
process.stdin.on("error", () => hub.stdin.end()); // EIO: the other side has hung up
hub.on("close", () => process.exit(0));
