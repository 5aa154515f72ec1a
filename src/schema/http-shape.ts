import { z } from "zod";
import type { StatusRange } from "../model/check.ts";
import type { HttpInput, HttpsInput } from "./healthcheck-input.ts";
import { parseHeaders, parseHost, parseMethod, parseRequestPath, parseStatus } from "./healthcheck-words.ts";
import { forTlsWords, match, portWord, tlsShape } from "./probe-parts.ts";
import { mustBe } from "./problem.ts";
import { type Fields, reading, strict, whole } from "./steps.ts";

const statusCode = whole(100, 599).transform((code): StatusRange => ({ from: code, to: code }));
const statusText = z
  .string()
  .meta({ pattern: String.raw`^[1-5]\d\d(-[1-5]\d\d)?$|\$\{` })
  .transform(reading(parseStatus));
const statusInput = z.union([statusCode, statusText], { error: mustBe('a status, as 200 or "200-299"') });
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

const requestPath = z
  .string()
  .meta({ pattern: String.raw`^/[!"$-~]*$|\$\{` })
  .transform(reading(parseRequestPath));

const httpFields = {
  path: requestPath.default("/").describe("With a query, if it needs one; default: /."),
  port: portWord.optional().describe("Default: the service's first port over TCP."),
  method: z
    .string()
    .transform(reading(parseMethod))
    .default("GET")
    .describe("GET, HEAD or another; default: GET."),
  headers: headers.default([]).describe("Headers by name; the Host header is host."),
  host: z
    .string()
    .transform(reading(parseHost))
    .optional()
    .describe("The Host header; default: the task's address and port."),
  status: statuses
    .default([{ from: 200, to: 299 }])
    .describe('Which statuses are well: 200, "200-299", or a list of both; default: 200-299.'),
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
const httpShape = strict(httpFields, {
  misplaced: {
    ...forTlsWords("it goes with https, under tls"),
    tls: "it goes with https: write that instead of http",
  },
}).refine(hasItsBody, bodiless);
const httpsShape = strict(httpsFields, { misplaced: forTlsWords("write it under tls") }).refine(
  hasItsBody,
  bodiless,
);

export const httpInput = z.union([requestPath.transform(withPath).pipe(httpShape), httpShape], {
  error: mustBe('a path, as "/healthz", or a mapping'),
});
export const httpsInput = z.union([requestPath.transform(withPath).pipe(httpsShape), httpsShape], {
  error: mustBe('a path, as "/healthz", or a mapping'),
});

function withPath(path: string): HttpInput {
  return { path };
}

function hasItsBody({ method, body }: { readonly method: string; readonly body?: unknown }): boolean {
  return method !== "HEAD" || body === undefined;
}
