import { EventEmitter, once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { TaskMapping } from "../../src/index.ts";

/** `+` it is well, `!` it is well but has too much to do, `-` it is not. */
export type Said = "+" | "!" | "-";

/** A task of its own on loopback that is probed over HTTP, and says what the test wants. */
export interface ProbedTask extends AsyncDisposable {
  readonly address: string;
  readonly port: number;
  /** What a declaration says of it. */
  readonly declaration: TaskMapping;
  /** How many probes have come so far. */
  readonly probes: number;
  /**
   * Answers the next probes with these, each a {@link Said}, and resolves when the one behind them has come: then
   * every one of them counts already, as no task is probed twice at a time.
   */
  says(results: string): Promise<void>;
  /** Answers all probes with this from now on. */
  always(said: Said): void;
  /** Resolves when a probe has come that waits for its answer. */
  asked(): Promise<void>;
  /** Resolves when so many more probes have come. */
  probed(times: number): Promise<void>;
  /** Resolves when nobody is connected any more. */
  deserted(): Promise<void>;
}

const STATUS: Readonly<Record<Said, number>> = { "+": 200, "!": 429, "-": 500 };

export async function openProbedTask(id: string, address: string): Promise<ProbedTask> {
  const bell = new EventEmitter();
  let constant: Said | undefined;
  let waiting: ServerResponse | undefined;
  let probes = 0;
  let connections = 0;

  const server = createServer((_, response) => {
    probes += 1;
    response.on("close", () => {
      if (waiting === response) waiting = undefined;
    });
    if (constant) end(response, constant);
    else waiting = response;
    bell.emit("rung");
  }).on("connection", (socket) => {
    connections += 1;
    socket.on("close", () => {
      connections -= 1;
      bell.emit("rung");
    });
  });
  server.listen(0, address);
  await once(server, "listening");
  const bound = server.address();
  const port = typeof bound === "object" ? (bound?.port ?? 0) : 0;

  const rungUntil = async (isSo: () => boolean): Promise<void> => {
    while (!isSo()) await once(bell, "rung");
  };
  const asked = async (): Promise<void> => rungUntil(() => waiting !== undefined);

  return {
    address,
    port,
    declaration: { id, address: `${address}:${port}` },
    get probes() {
      return probes;
    },
    async says(results) {
      constant = undefined;
      for (const letter of results) {
        await asked();
        const response = waiting;
        waiting = undefined;
        if (response) end(response, saidOf(letter));
      }
      await asked();
    },
    always(said) {
      constant = said;
      if (waiting) end(waiting, said);
      waiting = undefined;
    },
    asked,
    async probed(times) {
      const enough = probes + times;
      await rungUntil(() => probes >= enough);
    },
    deserted: async () => rungUntil(() => connections === 0),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}

function end(response: ServerResponse, said: Said): void {
  response.writeHead(STATUS[said]).end();
}

function saidOf(letter: string): Said {
  if (letter === "+" || letter === "!" || letter === "-") return letter;
  throw new Error(`no task says "${letter}"`);
}
