import { z } from "zod";
import { DEFAULT_TLS } from "../model/check.ts";
import { parseType } from "../model/mnemonics.ts";
import { parseName } from "../model/name.ts";
import type { DnsInput, GrpcInput, TcpInput } from "./healthcheck-input.ts";
import {
  foldAnswer,
  NO_PROGRAM,
  NO_TEST,
  parseCommand,
  parseRcode,
  parseShellText,
  parseTest,
} from "./healthcheck-words.ts";
import { forTlsWords, match, portWord, text, tlsShape } from "./probe-parts.ts";
import { mustBe } from "./problem.ts";
import { type Fields, reading, strict } from "./steps.ts";

const tcpShape = strict({
  port: portWord.optional().describe("Default: the service's first port over TCP."),
  send: text.optional().describe("What is said first."),
  expect: match.optional().describe("What must be in the first 64 KiB of what the task says."),
} satisfies Fields<TcpInput>);

/** `isBare`: the port stands right behind `tcp`. */
export const tcpInput = z.union(
  [
    portWord.transform((port) => ({ port, send: undefined, expect: undefined, isBare: true })),
    z.literal(true).transform(() => ({ port: undefined, send: undefined, expect: undefined, isBare: true })),
    tcpShape.transform(({ port, send, expect }) => ({ port, send, expect, isBare: false })),
  ],
  { error: mustBe("true, a port number, the name of a port, or a mapping") },
);

const grpcShape = strict(
  {
    service: text.optional().describe("The gRPC service to ask for; default: the server as a whole."),
    port: portWord.optional().describe("Default: the service's first port over TCP."),
    tls: z
      .union([z.boolean().transform((is) => (is ? DEFAULT_TLS : undefined)), tlsShape], {
        error: mustBe("true, false or a mapping"),
      })
      .optional()
      .describe("Whether, and how, TLS is spoken."),
  } satisfies Fields<GrpcInput>,
  { misplaced: forTlsWords("write it under tls") },
);

export const grpcInput = z.union(
  [
    text.transform((service): z.input<typeof grpcShape> => ({ service })).pipe(grpcShape),
    z
      .literal(true)
      .transform((): z.input<typeof grpcShape> => ({}))
      .pipe(grpcShape),
    grpcShape,
  ],
  { error: mustBe("true, the name of a gRPC service, or a mapping") },
);

const dnsShape = strict({
  name: z.string().transform(reading(parseName)).describe("What is asked for."),
  type: z.string().default("A").transform(reading(parseType)).describe("The type of record."),
  port: portWord.optional().describe("Default: the service's first port over the transport."),
  transport: z.enum(["udp", "tcp"]).default("udp").describe("What is asked over."),
  rcode: z
    .string()
    .transform(reading(parseRcode))
    .default("NOERROR")
    .describe("What the answer's code must be; default: NOERROR."),
  answers: z
    .array(text.transform(foldAnswer))
    .default([])
    .describe("What must be among the answers, as dig prints it."),
} satisfies Fields<DnsInput>);

export const dnsInput = z.union([z.string().transform(reading(withName)).pipe(dnsShape), dnsShape], {
  error: mustBe("a name or a mapping"),
});

const shellText = z
  .string()
  .meta({ pattern: String.raw`\S` })
  .transform(reading(parseShellText));

export const execInput = z.union(
  [shellText, z.array(z.string()).min(1, { error: NO_PROGRAM }).transform(reading(parseCommand))],
  { error: mustBe("a list of program and arguments, or text for a shell") },
);

/** Compose's: a command, or "none". */
export const testInput = z.union(
  [shellText, z.array(z.string()).min(1, { error: NO_TEST }).transform(reading(parseTest))],
  { error: mustBe("a list as Compose has it, or text for a shell") },
);

/** What is wrong with the name is told of the name alone. */
function withName(name: string): z.input<typeof dnsShape> {
  parseName(name);
  return { name };
}
