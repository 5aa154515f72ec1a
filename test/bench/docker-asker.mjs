// Asks for one name without an end, from a container's network: node docker-asker.mjs NAME ADDRESS PORT
// Says of each change how many addresses there are now, and when the answer came.

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { queryFor } from "./question.mjs";

const [, , name, address, port] = process.argv;
/** Between an answer and the next question: two who ask at once must leave others the time to do what is measured. */
const PAUSE_MS = 1;
/** Then the question is asked again. */
const PATIENCE_MS = 1000;

process.on("disconnect", () => process.exit());
const socket = createSocket("udp4");
socket.connect(Number(port), address);
await once(socket, "connect");
const query = queryFor(name);
let before;
for (;;) {
  socket.send(query);
  const [answer] = await once(socket, "message", { signal: AbortSignal.timeout(PATIENCE_MS) }).catch(
    () => [],
  );
  const at = process.hrtime.bigint();
  const answers = answer?.readUInt16BE(6);
  if (answers !== undefined && answers !== before) process.send({ answers, at: String(at) });
  before = answers ?? before;
  await setTimeout(PAUSE_MS);
}
