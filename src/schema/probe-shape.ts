import { z } from "zod";
import type { Match, ProbeTls, StatusRange } from "../model/check.ts";
import { parseType } from "../model/mnemonics.ts";
import { parseName } from "../model/name.ts";
import { parsePattern } from "../model/pattern.ts";
import type {
  DnsInput,
  GrpcInput,
  HttpInput,
  HttpsInput,
  PatternInput,
  TcpInput,
  TlsInput,
} from "./healthcheck-input.ts";
import {
  foldAnswer,
  parseCommand,
  parseHeaders,
  parseHost,
  parseMethod,
  parseRcode,
  parseRequestPath,
  parseServername,
  parseShellText,
  parseStatus,
  parseTest,
} from "./healthcheck-words.ts";
import { mustBe } from "./problem.ts";
import { type Fields, reading, strict, whole } from "./steps.ts";

const text = z.string().min(1, { error: "is empty" });
const portWord = z.union([whole(1, 65_535), text], { error: mustBe("a port number or the name of a port") });

const match = z.union(
  [
    text.transform((text): Match => ({ kind: "text", text })),
    strict({
      pattern: text
        .transform(reading(parsePattern))
        .describe("A regular expression of RE2's syntax, which fits anywhere."),
    } satisfies Fields<PatternInput>).transform(({ pattern }): Match => ({ kind: "pattern", pattern })),
  ],
  { error: mustBe("text or a mapping with a pattern") },
);

const tlsShape = strict({
  ca: text.optional().describe("A file of certificates in PEM to trust instead of the well-known ones."),
  servername: text
    .transform(reading(parseServername))
    .optional()
    .describe("The name that the certificate must be for; default: that in host, else the task's address."),
  insecure: z.boolean().default(false).describe("Whether any certificate does."),
} satisfies Fields<TlsInput>).transform(({ ca, servername, insecure }): ProbeTls => ({
  ca,
  servername,
  insecure,
}));

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

const statusCode = whole(100, 599).transform((code): StatusRange => ({ from: code, to: code }));
const statusInput = z.union([statusCode, z.string().transform(reading(parseStatus))], {
  error: mustBe('a status, as 200 or "200-299"'),
});
const statuses = z.union(
  [
    statusInput.transform((range) => [range]),
    z.array(statusInput).min(1, { error: "is empty: no status would be well" }),
  ],
  { error: mustBe('a status, as 200 or "200-299", or a list of them') },
);

const headers = z
  .record(z.string(), z.union([z.string(), z.number()], { error: mustBe("text or a number") }))
  .transform(reading(parseHeaders));

const requestPath = z.string().transform(reading(parseRequestPath));

const httpFields = {
  path: requestPath.default("/").describe("With a query, if it needs one."),
  port: portWord.optional().describe("Default: the service's first port over TCP."),
  method: z.string().transform(reading(parseMethod)).default("GET"),
  headers: headers.default([]).describe("Headers by name; the Host header is host."),
  host: z
    .string()
    .transform(reading(parseHost))
    .optional()
    .describe("The Host header; default: the task's address and port."),
  status: statuses
    .default([{ from: 200, to: 299 }])
    .describe('Which statuses are well: 200, "200-299", or a list of both.'),
  body: match.optional().describe("What must be in the first 64 KiB of the body."),
  redirects: whole(0, 10).default(0).describe("How many redirects are followed, always to the same task."),
} satisfies Fields<HttpInput>;

const httpsFields = {
  ...httpFields,
  tls: tlsShape.prefault({}).describe("How the certificate is looked at."),
} satisfies Fields<HttpsInput>;

const bodiless = {
  // RFC 9110 section 9.3.2: "the server MUST NOT send content in the response"
  error: "has a body to look for, and HEAD brings none: write method: GET",
  path: ["body"],
};
const httpShape = strict(httpFields).refine(hasItsBody, bodiless);
const httpsShape = strict(httpsFields).refine(hasItsBody, bodiless);
export const httpInput = z.union([requestPath.transform(withPath).pipe(httpShape), httpShape], {
  error: mustBe('a path, as "/healthz", or a mapping'),
});
export const httpsInput = z.union([requestPath.transform(withPath).pipe(httpsShape), httpsShape], {
  error: mustBe('a path, as "/healthz", or a mapping'),
});

const WELL_KNOWN: ProbeTls = { ca: undefined, servername: undefined, insecure: false };

const grpcShape = strict({
  service: text.optional().describe("The gRPC service to ask for; default: the server as a whole."),
  port: portWord.optional().describe("Default: the service's first port over TCP."),
  tls: z
    .union([z.boolean().transform((is) => (is ? WELL_KNOWN : undefined)), tlsShape], {
      error: mustBe("true, false or a mapping"),
    })
    .optional()
    .describe("Whether, and how, TLS is spoken."),
} satisfies Fields<GrpcInput>);

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
  transport: z.enum(["udp", "tcp"]).default("udp"),
  rcode: z
    .string()
    .transform(reading(parseRcode))
    .default("NOERROR")
    .describe("What the answer's code must be."),
  answers: z
    .array(text.transform(foldAnswer))
    .default([])
    .describe("What must be among the answers, as dig prints it."),
} satisfies Fields<DnsInput>);

export const dnsInput = z.union([z.string().transform(reading(withName)).pipe(dnsShape), dnsShape], {
  error: mustBe("a name or a mapping"),
});

const shellText = z.string().transform(reading(parseShellText));

export const execInput = z.union([shellText, z.array(z.string()).transform(reading(parseCommand))], {
  error: mustBe("a list of program and arguments, or text for a shell"),
});

/** Compose's: a command, or "none". */
export const testInput = z.union([shellText, z.array(z.string()).transform(reading(parseTest))], {
  error: mustBe("a list as Compose has it, or text for a shell"),
});

function withPath(path: string): HttpInput {
  return { path };
}

/** What is wrong with the name is told of the name alone. */
function withName(name: string): z.input<typeof dnsShape> {
  parseName(name);
  return { name };
}

function hasItsBody({ method, body }: { readonly method: string; readonly body?: unknown }): boolean {
  return method !== "HEAD" || body === undefined;
}
