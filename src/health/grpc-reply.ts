import { type Outcome, outcome } from "./outcome.ts";

/** What a server answered to one call, from its headers and trailers. */
export interface GrpcReply {
  /** HTTP's. */
  readonly status: number | undefined;
  readonly contentType: string | undefined;
  /** Undefined: there were no trailers, or they lack it. */
  readonly grpcStatus: string | undefined;
  readonly grpcMessage: string;
}

/** grpc/grpc doc/statuscodes.md, by number. */
const STATUSES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
];

/** `ServingStatus` of grpc.health.v1, by number. */
const SERVING_STATUSES = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/**
 * What a reply to Check says, in the order in which grpc/grpc doc/PROTOCOL-HTTP2.md has it: HTTP's word, gRPC's,
 * and the message.
 */
export function judgeReply(reply: GrpcReply, body: Buffer): Outcome {
  if (reply.status !== 200) return outcome("fail", `HTTP ${reply.status}`);
  if (!isGrpc(reply)) {
    return outcome("fail", `it answered ${reply.contentType ?? "no content-type"} and not application/grpc`);
  }
  if (reply.grpcStatus === undefined) return outcome("fail", "its answer ended without a grpc-status");
  if (reply.grpcStatus !== "0") return outcome("fail", formatStatus(reply.grpcStatus, reply.grpcMessage));
  const message = readFrame(body);
  if (typeof message === "string") return outcome("fail", message);
  const status = readServingStatus(message);
  if (status === undefined) return outcome("fail", "its answer is no HealthCheckResponse");
  const name = SERVING_STATUSES[status] ?? `status ${status}`;
  return outcome(name === "SERVING" ? "pass" : "fail", name);
}

/** Whether a gRPC server answers: "application/grpc", maybe with what messages are in, as "+proto". */
export function isGrpc({ status, contentType = "" }: GrpcReply): boolean {
  return status === 200 && /^application\/grpc(?:$|[+;])/i.test(contentType);
}

/** The octets of a call's message: a HealthCheckRequest for `service`, in its frame. */
export function writeRequest(service: string): Buffer {
  const text = Buffer.from(service);
  // proto3: a field that has its default value is left out.
  const message = text.length === 0 ? text : Buffer.concat([Buffer.of(0x0a), writeVarint(text.length), text]);
  const head = Buffer.alloc(FRAME_OCTETS);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** "Length-Prefixed-Message": whether it is compressed, its length in four octets, and the message. */
const FRAME_OCTETS = 5;

/** The one message that a reply to a unary call has, or what is wrong with it. */
function readFrame(body: Buffer): Buffer | string {
  if (body.length === 0) return "its answer has no message";
  if (body.length < FRAME_OCTETS) return "its message is cut off";
  // We accept no encoding, so that none may be used.
  if (body[0] !== 0) return "its message is compressed";
  const length = body.readUInt32BE(1);
  const message = body.subarray(FRAME_OCTETS);
  if (message.length === length) return message;
  return `its message has ${message.length} octets and says that it has ${length}`;
}

/** Field 1 of a HealthCheckResponse; other fields are skipped. Undefined: it is none. */
function readServingStatus(message: Buffer): number | undefined {
  let status = 0; // proto3: the default, where it is left out
  let at = 0;
  while (at < message.length) {
    const tag = readVarint(message, at);
    const value = tag && readVarint(message, tag.end);
    if (!tag) return undefined;
    switch (tag.value % 8) {
      case 0: // varint
        if (!value) return undefined;
        if (tag.value === 0x08) status = value.value;
        at = value.end;
        break;
      case 1: // 8 octets
        at = tag.end + 8;
        break;
      case 2: // a length and so many octets
        if (!value) return undefined;
        at = value.end + value.value;
        break;
      case 5: // 4 octets
        at = tag.end + 4;
        break;
      default:
        return undefined;
    }
  }
  return at === message.length ? status : undefined;
}

function writeVarint(value: number): Buffer {
  const octets: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    octets.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Buffer.of(...octets, rest);
}

/** Undefined: cut off, or longer than the ten octets that 64 bits take. */
function readVarint(
  message: Buffer,
  at: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let place = 0; place < 10; place++) {
    const octet = message[at + place];
    if (octet === undefined) return undefined;
    value += (octet & 0x7f) * 2 ** (7 * place);
    if (octet < 0x80) return { value, end: at + place + 1 };
  }
  return undefined;
}

function formatStatus(status: string, message: string): string {
  const name = STATUSES[Number(status)] ?? `grpc-status ${status}`;
  const why = name === "UNIMPLEMENTED" ? "the server does not offer grpc.health.v1.Health" : "";
  return [name, why, decodePercent(message)].filter((part) => part !== "").join(": ");
}

/** PROTOCOL-HTTP2.md on Percent-Encoded: "must not error or throw away the message" when it is invalid. */
function decodePercent(text: string): string {
  const octets = text.replaceAll(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(parseInt(hex, 16)),
  );
  return Buffer.from(octets, "latin1").toString();
}
