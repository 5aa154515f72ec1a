// Flows that stay open, to see what becomes of them when what they go to changes.

import { connect } from "node:net";
import { codeOf, openUdp } from "./questions.mjs";

/** Flows by name. A reply is `{ name, peer }`, or `{ error }` with the code that ended the flow or the wait. */
export function createFlows() {
  const flows = new Map();

  /** Opens a flow and says a first word on it. */
  async function hold({ flow, protocol, timeoutMs, ...target }) {
    const opened = protocol === "udp" ? await holdUdp(target) : holdTcp(target);
    flows.set(flow, opened);
    return say({ flow, timeoutMs });
  }

  /** Says another word, and hears what comes back for it. */
  async function say({ flow, timeoutMs }) {
    return flows.get(flow).say(timeoutMs);
  }

  function drop({ flow }) {
    flows.get(flow)?.close();
    flows.delete(flow);
  }

  return { hold, say, drop };
}

function holdTcp({ host, port, from }) {
  const socket = connect({ host, port, localAddress: from, noDelay: true });
  const words = createWords((word) => socket.write(`${word}\n`));
  let text = "";
  socket.on("data", (octets) => {
    const lines = (text + octets).split("\n");
    text = lines.pop();
    for (const line of lines) words.hear(JSON.parse(line));
  });
  socket.on("error", (error) => words.end(codeOf(error)));
  socket.on("end", () => words.end("CLOSED"));
  return { say: words.say, close: () => socket.destroy() };
}

async function holdUdp(target) {
  const socket = await openUdp(target);
  const words = createWords((word) => socket.send(word));
  socket.on("message", (octets) => words.hear(JSON.parse(octets.toString())));
  // What was said last was refused; the next word may reach somebody.
  socket.on("error", (error) => words.refuse(codeOf(error)));
  return { say: words.say, close: () => socket.close() };
}

/** Words, each with a number, so that a late answer is not taken for that of the next. */
function createWords(send) {
  let number = 0;
  let ended;
  let waiting;
  const settle = (answer) => {
    waiting?.(answer);
    waiting = undefined;
  };
  return {
    async say(timeoutMs) {
      if (ended !== undefined) return { error: ended };
      number += 1;
      const answer = new Promise((resolve) => {
        waiting = resolve;
      });
      send(String(number));
      const late = setTimeout(() => settle({ error: "TIMEOUT" }), timeoutMs);
      return answer.finally(() => clearTimeout(late));
    },
    hear({ name, peer, text }) {
      if (text === String(number)) settle({ name, peer });
    },
    refuse: (error) => settle({ error }),
    end(error) {
      ended ??= error;
      settle({ error: ended });
    },
  };
}
