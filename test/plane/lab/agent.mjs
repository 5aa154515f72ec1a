// Runs in one place of a lab (a network namespace, or as a user without rights) and does what it is told there, by
// JSON lines on its stdin. It ends with them.

import { createFlows } from "./flows.mjs";
import { createHammers } from "./hammers.mjs";
import { answerRequests, performBy, sayTo } from "./lines.mjs";
import { createPlanes } from "./planes.mjs";
import { ask, freePort } from "./questions.mjs";
import { createTasks } from "./tasks.mjs";

const say = sayTo(process.stdout);
const ops = { ...createTasks(), ...createFlows(), ...createHammers(), ...createPlanes(), ask, freePort };
say({ ready: true });
await answerRequests(process.stdin, say, performBy(ops));
process.exit(0);
