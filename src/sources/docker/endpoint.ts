import { join } from "node:path";
import { RotaError } from "../../base/error.ts";
import type { Environment } from "../expand.ts";

/** Where an engine is asked, and how. `text` is it as people write it. */
export type EngineAddress = UnixEngine | TcpEngine | SshEngine;

export interface UnixEngine {
  readonly kind: "unix";
  readonly text: string;
  readonly path: string;
}

export interface TcpEngine {
  readonly kind: "tcp";
  readonly text: string;
  readonly host: string;
  readonly port: number;
  /** The folder of ca.pem, cert.pem and key.pem, as far as they are there; undefined: plain HTTP. */
  readonly tlsFolder: string | undefined;
}

export interface SshEngine {
  readonly kind: "ssh";
  readonly text: string;
  readonly host: string;
  /** Undefined: what the user's ssh is configured to. */
  readonly port: number | undefined;
  readonly user: string | undefined;
}

const DEFAULT_ENGINE = "unix:///var/run/docker.sock";
/** unix(7): `sun_path` has 108 octets, the zero at its end among them. */
const MAX_PATH_OCTETS = 107;
/** Those that Docker has registered with IANA: `docker` and `docker-s`. */
const PLAIN_PORT = 2375;
const TLS_PORT = 2376;

/**
 * The engine that `text` names: `unix:///path`, `tcp://host:port` or `ssh://[user@]host[:port]`. Empty: the one that the
 * docker command would ask, by `DOCKER_HOST`. Whether TCP is to be TLS, `DOCKER_TLS_VERIFY` says, as it does there, and
 * `DOCKER_CERT_PATH` where its files are.
 *
 * @throws RotaError `ERR_ROTA_OPTION`
 */
export function parseEngine(text: string, env: Environment): EngineAddress {
  const whole = text.trim() || (env["DOCKER_HOST"] ?? "").trim() || DEFAULT_ENGINE;
  if (whole.startsWith("unix://")) return parseUnix(whole);
  if (whole.startsWith("tcp://")) return parseTcp(whole, env);
  if (whole.startsWith("ssh://")) return parseSsh(whole);
  throw refusal(whole, "write unix:///path, tcp://host:port or ssh://user@host");
}

function parseUnix(text: string): UnixEngine {
  const path = text.slice("unix://".length);
  if (!path.startsWith("/"))
    throw refusal(text, "its path must begin with a slash, as in unix:///run/docker.sock");
  if (path.includes("\0")) throw refusal(text, "its path has a zero octet in it");
  const octets = Buffer.byteLength(path);
  if (octets > MAX_PATH_OCTETS)
    throw refusal(text, `its path has ${octets} octets, ${MAX_PATH_OCTETS} are allowed`);
  return { kind: "unix", text, path };
}

function parseTcp(text: string, env: Environment): TcpEngine {
  const { host, port, user } = parseAuthority(text, "tcp://host:port");
  if (user !== undefined) throw refusal(text, "a user has no meaning over TCP: write tcp://host:port");
  const isTls = (env["DOCKER_TLS_VERIFY"] ?? "") !== "";
  const tlsFolder = isTls ? env["DOCKER_CERT_PATH"] || join(env["HOME"] ?? "/", ".docker") : undefined;
  return { kind: "tcp", text, host, port: port ?? (isTls ? TLS_PORT : PLAIN_PORT), tlsFolder };
}

function parseSsh(text: string): SshEngine {
  const { host, port, user } = parseAuthority(text, "ssh://user@host:port");
  return { kind: "ssh", text, host, port, user };
}

interface Authority {
  readonly host: string;
  readonly port: number | undefined;
  readonly user: string | undefined;
}

/**
 * What stands behind the scheme. What a word of ssh's command line, or of a shell that its configuration starts, could
 * be made to do is not left to them: a name that begins with `-` would be an option.
 */
function parseAuthority(text: string, form: string): Authority {
  const authority = text.slice(text.indexOf("//") + 2).replace(/\/$/, "");
  if (/[/?#]/.test(authority)) throw refusal(text, `nothing may stand behind the port: write ${form}`);
  const [, user, bracketed, plain, digits] =
    /^(?:([^@]*)@)?(?:\[([\da-fA-F:.]+)\]|([\w.-]+))(?::(\d+))?$/.exec(authority) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) throw refusal(text, `write ${form}`);
  if (host.startsWith("-")) throw refusal(text, `a host cannot begin with "-"`);
  if (user !== undefined && !/^[\w.+][\w.+-]*$/.test(user))
    throw refusal(text, `a user is letters, digits and ".", "_", "+", "-", and no password: write ${form}`);
  const port = digits === undefined ? undefined : Number(digits);
  if (port !== undefined && (port < 1 || port > 65_535)) throw refusal(text, "a port is 1 to 65535");
  return { host, port, user };
}

function refusal(text: string, remedy: string): RotaError {
  return new RotaError(
    "ERR_ROTA_OPTION",
    `could not take ${JSON.stringify(text)} as a Docker engine: ${remedy}`,
  );
}
