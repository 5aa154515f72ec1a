import type { Argv } from "yargs";
import { ask, type Reply } from "../ask/ask.ts";
import { parseType } from "../model/mnemonics.ts";
import { parseServer, type Server } from "../ask/server.ts";
import { RotaError } from "../base/error.ts";
import { parseAddress } from "../model/address.ts";
import { parseDuration } from "../model/duration.ts";
import { formatName, parseName } from "../model/name.ts";
import { reverseName } from "../model/reverse.ts";
import { formatReply } from "./dig.ts";
import { type ArgumentsOf, type Command, type GlobalArguments, single, withOptions } from "./options.ts";

type LookupArguments = ArgumentsOf<typeof declare>;

const NAMELESS = "say the NAME to look up, or the address with -x, and not both";

export const lookupCommand: Command<typeof declare> = {
  command: "lookup [name] [type]",
  describe: "Ask a DNS server and print its answer as dig does",
  builder: declare,
  handler: lookup,
};

/** Exits 0 if there is an answer, 1 if there is none. */
async function lookup(argv: LookupArguments): Promise<void> {
  const name = argv.name ?? argv.reverse;
  if (name === undefined) throw new RotaError("ERR_ROTA_OPTION", NAMELESS);
  const reply = await ask(
    { name, type: argv.type ?? parseType(argv.reverse === undefined ? "A" : "PTR") },
    chooseServer(argv),
    { timeoutMs: argv.timeout, recursionDesired: !argv.norecurse },
    new AbortController().signal, // Ctrl-C ends the process
  );
  const isAnswered = reply.rcode.number === 0 && reply.answers.length > 0;
  process.exitCode = isAnswered ? 0 : 1;
  if (argv.json) {
    process.stdout.write(`${JSON.stringify(toJson(reply))}\n`);
    return;
  }
  if (!argv.short) {
    process.stdout.write(formatReply(reply));
    return;
  }
  process.stdout.write(reply.answers.map(({ data }) => `${data}\n`).join(""));
  if (!isAnswered) {
    const status = reply.rcode.number === 0 ? "no record of that type" : reply.rcode.name;
    process.stderr.write(`rota: ${formatName(name)} has no answer: ${status}\n`);
  }
}

function declare(yargs: Argv<GlobalArguments>) {
  return withOptions(yargs, {
    server: {
      alias: "s",
      type: "string",
      requiresArg: true,
      default: "127.0.0.1:5300",
      coerce: single(parseServer),
      describe: "Whom to ask: ADDRESS[:PORT], udp://, tcp:// or https://HOST/dns-query",
    },
    tcp: { type: "boolean", describe: "Ask over TCP" },
    short: {
      type: "boolean",
      describe: "Print the data of the answers alone, one a line",
    },
    json: { type: "boolean", describe: "Print one JSON object" },
    timeout: {
      type: "string",
      requiresArg: true,
      default: "2s",
      coerce: single(parseTimeout),
      describe: "How long to wait for the answer",
    },
    norecurse: { type: "boolean", describe: "Do not ask the server to ask others" },
    reverse: {
      alias: "x",
      type: "string",
      requiresArg: true,
      coerce: (text: string | undefined) =>
        text === undefined ? undefined : single((address) => reverseName(parseAddress(address)))(text),
      describe: "Look up the name of this address",
    },
  })
    .positional("name", {
      type: "string",
      coerce: (text: string | undefined) => (text === undefined ? undefined : parseName(text)),
      describe: "The name; a dot at its end may be missing",
    })
    .positional("type", {
      type: "string",
      coerce: (text: string | undefined) => (text === undefined ? undefined : parseType(text)),
      describe: "A, AAAA, SRV, TXT, PTR, ... or TYPE65; default A, with -x PTR",
    })
    .check(({ name, reverse }) => (name === undefined) !== (reverse === undefined) || NAMELESS)
    .check(({ short, json }) => !(short && json) || "--short and --json cannot both be")
    .example("$0 lookup web", "the addresses of web, as rota serve on this machine gives them")
    .example("$0 lookup _http._tcp.web SRV --short", "ports, ready for a script")
    .example("$0 lookup web -s tcp://10.0.0.2 --json", "ask another server, over TCP")
    .example("$0 lookup -x 10.0.1.11", "which task has this address");
}

function chooseServer({ server, tcp }: LookupArguments): Server {
  if (!tcp) return server;
  if (server.transport !== "https") return { ...server, transport: "tcp" };
  throw new RotaError("ERR_ROTA_OPTION", `--tcp has no meaning for ${server.url}: leave out one of the two`);
}

function parseTimeout(text: string): number {
  const timeoutMs = parseDuration(text);
  if (timeoutMs > 0) return timeoutMs;
  throw new RotaError("ERR_ROTA_OPTION", `"${text}" is no time for an answer to come: write 2s or 500ms`);
}

/** What `--json` prints. Programs read this: add to it, but change or take away nothing. */
function toJson(reply: Reply): object {
  return {
    status: reply.rcode.name,
    rcode: reply.rcode.number,
    id: reply.id,
    flags: reply.flags,
    question: reply.question ?? null,
    answers: reply.answers,
    authority: reply.authority,
    additionals: reply.additionals,
    edns: reply.edns ?? null,
    server: reply.server,
    transport: reply.transport,
    retriedOverTcp: reply.isRetried,
    elapsedMs: Number(reply.elapsedMs.toFixed(3)),
    octets: reply.octets,
  };
}
