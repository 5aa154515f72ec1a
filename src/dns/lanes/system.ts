import { arch, endianness, platform } from "node:os";
import { getSystemErrorMap } from "node:util";
import { messageOf } from "../../base/error.ts";

/**
 * The calls of the C library that lanes are made of, which Node does not have. Memory is given as its address, a
 * number: that costs no object a call, and a call 0.24 us in all.
 */
export interface System {
  /** Where memory begins. It stays there for as long as somebody holds it: V8 moves no `ArrayBuffer`. */
  addressOf(memory: ArrayBuffer): number;
  socket(family: number, type: number, protocol: number): number;
  setsockopt(fd: number, level: number, option: number, value: number, length: number): number;
  bind(fd: number, name: number, length: number): number;
  getsockname(fd: number, name: number, length: number): number;
  recvmmsg(fd: number, vector: number, count: number, flags: number, timeout: number): number;
  sendmmsg(fd: number, vector: number, count: number, flags: number): number;
  sendmsg(fd: number, message: number, flags: number): number;
  poll(fds: number, count: number, timeoutMs: number): number;
  shutdown(fd: number, how: number): number;
  close(fd: number): number;
  /** What went wrong in the call that returned -1, if no other of this thread's came after it. */
  errno(): number;
}

/** Whether there can be lanes here. */
export type Offer =
  | { readonly kind: "there"; readonly system: System }
  | { readonly kind: "missing"; readonly because: string };

/** What of koffi is used. */
export interface Koffi {
  load(path: null): { func(name: string, result: string, args: string[]): (...args: number[]) => number };
  address(memory: Uint8Array): bigint;
  errno(): number;
}

/** Linux's numbers, which are the same on x64 and arm64. */
export const AF_INET = 2;
export const AF_INET6 = 10;
export const IPPROTO_IPV6 = 41;
export const MSG_TRUNC = 0x20;
export const MSG_DONTWAIT = 0x40;
export const MSG_WAITFORONE = 0x1_0000;

export const ERRNO = { EINTR: 4, EBADF: 9, EAGAIN: 11 } as const;

const ARCHITECTURES: readonly string[] = ["x64", "arm64"];

/** Never rejects: what is missing is a sentence. */
export async function openSystem(load: () => Promise<Koffi> = loadKoffi): Promise<Offer> {
  if (platform() !== "linux") return missing(`there are lanes on Linux, and this is ${platform()}`);
  if (!ARCHITECTURES.includes(arch()) || endianness() !== "LE")
    return missing(`there are lanes on ${ARCHITECTURES.join(" and ")}, and this is ${arch()}`);
  let koffi;
  try {
    koffi = await load();
  } catch (error) {
    const [line = ""] = messageOf(error).split("\n", 1);
    return missing(
      `koffi cannot be loaded, which npm installs unless told to omit what is optional: ${line}`,
    );
  }
  try {
    return offer(bindings(koffi));
  } catch (error) {
    return missing(`the C library lacks a call: ${messageOf(error)}`);
  }
}

/** What Node would throw for it. */
export function systemError(call: string, errno: number): Error {
  const [code = "UNKNOWN", meaning = `errno ${errno}`] = getSystemErrorMap().get(-errno) ?? [];
  return Object.assign(new Error(`${call} ${code}: ${meaning}`), { code, errno, syscall: call });
}

async function loadKoffi(): Promise<Koffi> {
  return import("koffi");
}

function bindings(koffi: Koffi): System {
  // The process itself, which has the C library that Node runs on, be it glibc or musl.
  const library = koffi.load(null);
  // Pointers and size_t as numbers: no address of a process is as large as 2^53.
  const call = (name: string, ...args: string[]): ((...args: number[]) => number) =>
    library.func(name, name === "sendmsg" ? "long" : "int", args);
  return {
    addressOf: (memory) => Number(koffi.address(new Uint8Array(memory))),
    socket: call("socket", "int", "int", "int"),
    setsockopt: call("setsockopt", "int", "int", "int", "uintptr_t", "uint32_t"),
    bind: call("bind", "int", "uintptr_t", "uint32_t"),
    getsockname: call("getsockname", "int", "uintptr_t", "uintptr_t"),
    recvmmsg: call("recvmmsg", "int", "uintptr_t", "uint32_t", "int", "uintptr_t"),
    sendmmsg: call("sendmmsg", "int", "uintptr_t", "uint32_t", "int"),
    sendmsg: call("sendmsg", "int", "uintptr_t", "int"),
    poll: call("poll", "uintptr_t", "ulong", "int"),
    shutdown: call("shutdown", "int", "int"),
    close: call("close", "int"),
    errno: koffi.errno,
  };
}

/** A kernel, or what stands in for one, may lack what its C library has. */
function offer(system: System): Offer {
  for (const name of ["recvmmsg", "sendmmsg"] as const) {
    system[name](-1, 0, 0, 0, 0);
    const errno = system.errno();
    if (errno !== ERRNO.EBADF) return missing(systemError(name, errno).message);
  }
  return { kind: "there", system };
}

function missing(because: string): Offer {
  return { kind: "missing", because };
}
