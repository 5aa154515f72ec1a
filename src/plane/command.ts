import { spawn } from "node:child_process";
import { messageOf, RotaError, systemCodeOf } from "../base/error.ts";

export interface CommandOptions {
  /**
   * What the program reads; its input ends there. It may be started before that is known, and is ended if it is not to be.
   * @default ""
   */
  readonly input?: string | Promise<string>;
  /** Ends the program. */
  readonly signal?: AbortSignal;
  /**
   * What stands in front of the program, as `["nsenter", "--net=/run/netns/a"]`.
   * @default []
   */
  readonly wrapper?: readonly string[];
  /**
   * Milliseconds after which it is ended.
   * @default 10,000
   */
  readonly limitMs?: number;
  /**
   * Octets that it may print; one that prints more is ended.
   * @default 64 MiB: `nft --json list` of 10,000 services of 4 tasks is 12 MiB
   */
  readonly maxOctets?: number;
}

/** Of what a program complains about only the beginning is read: one line of it is told. */
const MAX_COMPLAINT = 65_536;

/**
 * Runs a program, without a shell, and resolves with what it printed.
 *
 * @throws RotaError `ERR_ROTA_PLANE`: it could not be run, failed, took too long or printed too much, in one line.
 * What `signal` was aborted with, if it was.
 */
export function run(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { input = "", signal, wrapper = [], limitMs = 10_000, maxOctets = 64 * 1024 * 1024 } = options;
  if (signal?.aborted) return Promise.reject(reasonOf(signal));
  return new Promise((resolve, reject) => {
    const [first = program, ...rest] = [...wrapper, program, ...args];
    const child = spawn(first, rest, { stdio: ["pipe", "pipe", "pipe"] });
    const printed: Buffer[] = [];
    let [octets, complaint, end] = [0, "", ""];
    const kill = (why: string): void => {
      end ||= why;
      child.kill("SIGKILL");
      // Whoever it started may hold them longer than it lives.
      child.stdout.destroy();
      child.stderr.destroy();
    };
    const abort = (): void => kill("ended");
    const timer = setTimeout(() => kill(`took longer than ${limitMs / 1000} s`), limitMs);
    signal?.addEventListener("abort", abort, { once: true });

    child.stdin.on("error", () => {}); // one that does not read to the end says why when it exits
    if (typeof input === "string") child.stdin.end(input);
    else input.then((text) => child.stdin.end(text), abort);
    child.stdout.on("data", (chunk: Buffer) => {
      octets += chunk.length;
      if (octets > maxOctets) kill(`printed more than ${maxOctets} octets`);
      else printed.push(chunk);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      if (complaint.length < MAX_COMPLAINT) complaint += text.slice(0, MAX_COMPLAINT - complaint.length);
    });
    const finish = (failure: Error | undefined): void => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      if (signal?.aborted) reject(reasonOf(signal));
      else if (failure !== undefined) reject(failure);
      else resolve(Buffer.concat(printed).toString());
    };
    child.once("error", (error) => finish(notRun(first, error)));
    child.once("close", (code, ended) => {
      if (end !== "") finish(failed(`${program} ${end} and was ended`));
      else if (code === 0) finish(undefined);
      else finish(failed(sentence(program, complaint, code, ended)));
    });
  });
}

/** Runs programs in one place: what is asked for with one stands inside of what it has for all. */
export type Run = (program: string, args: readonly string[], options?: CommandOptions) => Promise<string>;

export function runnerIn(wrapper: readonly string[], common: CommandOptions = {}): Run {
  return async (program, args, options = {}) =>
    run(program, args, { ...common, ...options, wrapper: [...wrapper, ...(options.wrapper ?? [])] });
}

/** What each program is of, in Debian and those after it. */
const PACKAGES: ReadonlyMap<string, string> = new Map([
  ["nft", "nftables"],
  ["ip", "iproute2"],
  ["nsenter", "util-linux"],
  ["conntrack", "conntrack"],
  ["ipvsadm", "ipvsadm"],
]);

function notRun(program: string, error: Error): RotaError {
  if (systemCodeOf(error) === "ENOENT") return failed(notInstalled(program), error);
  return failed(`${program} could not be run: ${messageOf(error)}`, error);
}

function sentence(program: string, complaint: string, code: number | null, ended: string | null): string {
  const line = complaint.split("\n").find((text) => text.trim() !== "") ?? "";
  // What nsenter, env and sh exit with where the program that they were to run is missing.
  if (code === 127) return notInstalled(program);
  if (/Operation not permitted|Permission denied|must be root/i.test(complaint)) {
    return `${program} needs CAP_NET_ADMIN: run as root, or give that capability to the service (${line.trim()})`;
  }
  if (line === "") return `${program} failed: ${code === null ? `ended by ${ended}` : `exit ${code}`}`;
  return `${program} failed: ${line.trim()}`;
}

function notInstalled(program: string): string {
  const name = PACKAGES.get(program);
  return `${program} is not installed${name === undefined ? "" : `: apt-get install ${name}`}`;
}

function failed(message: string, cause?: Error): RotaError {
  return new RotaError("ERR_ROTA_PLANE", message, { cause });
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new RotaError("ERR_ROTA_CLOSED", String(reason));
}
