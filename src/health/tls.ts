import { X509Certificate } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { isIP } from "node:net";
import {
  checkServerIdentity,
  type ConnectionOptions,
  createSecureContext,
  type PeerCertificate,
  type SecureContext,
} from "node:tls";
import { type Clock, systemClock } from "../base/clock.ts";
import { messageOf, RotaError } from "../base/error.ts";
import type { ProbeTls } from "../model/check.ts";

/**
 * What `tls.connect` and `http2.connect` must be told to trust a task as its probe says.
 *
 * @param name whom the certificate must be for unless the probe says otherwise: a host name or an address.
 * @throws RotaError `ERR_ROTA_OPTION`: the file of certificates cannot be used, which is no fault of the task.
 */
export type Trust = (tls: ProbeTls, name: string) => Promise<ConnectionOptions>;

/** A file that was read, and what came of it: looked at again when it is older than {@link MAX_AGE_MS}. */
interface Kept {
  readonly atMs: number;
  readonly read: Promise<ReadFile>;
}

interface ReadFile {
  readonly pem: string;
  readonly context: SecureContext;
}

const MAX_AGE_MS = 5000;
/** Services share a few files; those that none names any more go with the others. */
const MAX_KEPT = 1000;
/** The well-known certificates of a Linux distribution have some 250 KiB. */
const MAX_FILE_OCTETS = 4 * 1024 * 1024;

export function createTrust(clock: Clock = systemClock): Trust {
  const files = new Map<string, Kept>();
  let wellKnown: SecureContext | undefined;
  let nobody: SecureContext | undefined;

  return async ({ ca, servername, insecure }, fallback) => {
    const name = (servername ?? fallback).replace(/\.$/, ""); // RFC 6066 section 3: "without a trailing dot"
    return {
      secureContext: await findContext(ca, insecure),
      rejectUnauthorized: !insecure,
      // RFC 6066 section 3: "Literal IPv4 and IPv6 addresses are not permitted". Empty, as http2 puts in the host's else.
      servername: isIP(name) === 0 ? name : "",
      checkServerIdentity: (_, certificate) => checkName(name, certificate),
    };
  };

  async function findContext(ca: string | undefined, insecure: boolean): Promise<SecureContext> {
    // With a list of its own, even an empty one, a context does without the well-known ones: 10 ms to load.
    if (insecure) return (nobody ??= createSecureContext({ ca: [] }));
    if (ca === undefined) return (wellKnown ??= createSecureContext());
    return (await readKept(ca)).context;
  }

  /** A failure is kept like a success: what thousands of probes need is not tried thousands of times. */
  function readKept(path: string): Promise<ReadFile> {
    const nowMs = clock.monotonic();
    const before = files.get(path);
    if (before && nowMs - before.atMs < MAX_AGE_MS) return before.read;
    if (!before && files.size >= MAX_KEPT) files.clear();
    const read = readCertificates(path, before?.read);
    files.set(path, { atMs: nowMs, read });
    return read;
  }
}

async function readCertificates(path: string, before: Promise<ReadFile> | undefined): Promise<ReadFile> {
  const last = await before?.catch(() => undefined);
  try {
    const pem = await readText(path);
    return last?.pem === pem ? last : { pem, context: createSecureContext({ ca: splitPem(pem) }) };
  } catch (error) {
    throw new RotaError("ERR_ROTA_OPTION", `could not use the CA file ${path}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function readText(path: string): Promise<string> {
  const found = await stat(path);
  if (!found.isFile()) throw unfit("it is not a file"); // to open a pipe is to wait for its other end
  if (found.size > MAX_FILE_OCTETS) throw unfit(`it has more than ${MAX_FILE_OCTETS} octets`);
  return readFile(path, "utf8");
}

/** RFC 7468 section 5. Each is tried here, since a context takes what is no certificate without a word. */
function splitPem(text: string): string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g);
  if (!blocks) throw unfit("it has no certificate in PEM");
  for (const block of blocks) void new X509Certificate(block);
  return blocks;
}

function unfit(why: string): RotaError {
  return new RotaError("ERR_ROTA_OPTION", why);
}

function checkName(name: string, certificate: PeerCertificate): Error | undefined {
  if (!checkServerIdentity(name, certificate)) return undefined;
  const names = certificate.subjectaltname?.replaceAll(/DNS:|IP Address:/g, "") ?? certificate.subject.CN;
  return new Error(`the certificate is for ${names?.toString() || "nobody"}, not for ${name}`);
}
