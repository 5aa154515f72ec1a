// The smallest hub: says every line again.

import { createInterface } from "node:readline";

process.stdout.write("ready\n");
for await (const line of createInterface({ input: process.stdin })) process.stdout.write(`${line}\n`);
