/**
 * What `node:net` itself stands on, as far as it is used here. Source: lib/net.js, lib/internal/stream_base_commons.js,
 * src/tcp_wrap.cc and src/stream_base.cc of Node, which have it alike from 20 to 24.
 */
export interface Handles extends TcpBinding, StreamBinding {}

/** A TCP socket of libuv's. A number that is returned is 0, or an error of libuv's below it. */
export interface TcpHandle {
  /** Called for each read, of which {@link Handles.streamBaseState} tells. */
  onread: () => void;
  /** Where all reads go to; the handle does not keep it from being collected. */
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  /** If it is under way then, the octets are to be kept until the request is complete. */
  writeBuffer(request: Request, octets: Uint8Array): number;
  shutdown(request: Request): number;
  connect(request: Request, address: string, port: number): number;
  connect6(request: Request, address: string, port: number): number;
  setNoDelay(isOn: boolean): number;
  setKeepAlive(isOn: boolean, seconds: number): number;
  getsockname(place: Place): number;
  getpeername(place: Place): number;
  close(closed: () => void): void;
  reset(closed: () => void): number;
}

/** That of a server which listens. */
export interface ListeningHandle {
  /** Called for each client, or with an error of libuv's. */
  onconnection: (status: number, client: unknown) => void;
}

export interface Place {
  address?: string;
  port?: number;
}

export interface Request {
  oncomplete?: (status: number) => void;
  octets?: Uint8Array;
}

interface TcpBinding {
  readonly TCP: new (kind: number) => TcpHandle;
  readonly TCPConnectWrap: new () => Request;
  readonly constants: { readonly SOCKET: number };
}

interface StreamBinding {
  readonly WriteWrap: new () => Request;
  readonly ShutdownWrap: new () => Request;
  readonly streamBaseState: Int32Array;
  /** Where the state has the octets of the last read, or its error. */
  readonly kReadBytesOrError: number;
  /** Where the state has whether the last write is under way: 0 if not. */
  readonly kLastWriteWasAsync: number;
}

const METHODS = [
  "useUserBuffer",
  "readStart",
  "readStop",
  "writeBuffer",
  "shutdown",
  "connect",
  "connect6",
  "setNoDelay",
  "setKeepAlive",
  "getsockname",
  "getpeername",
  "close",
  "reset",
];

/**
 * Undefined: this Node has others, or gives them to nobody, as under `--permission`.
 *
 * @param binding deprecated in Node's documentation (DEP0111), with nothing in its place
 */
export function findHandles(binding: unknown = Reflect.get(process, "binding")): Handles | undefined {
  const tcp = bindingOf(binding, "tcp_wrap");
  const stream = bindingOf(binding, "stream_wrap");
  return isTcpBinding(tcp) && isStreamBinding(stream) ? { ...tcp, ...stream } : undefined;
}

export function isListeningHandle(value: unknown): value is ListeningHandle {
  return isRecord(value) && typeof value["onconnection"] === "function";
}

function bindingOf(binding: unknown, name: string): unknown {
  if (typeof binding !== "function") return undefined;
  try {
    return Reflect.apply(binding, process, [name]);
  } catch {
    return undefined;
  }
}

function isTcpBinding(value: unknown): value is TcpBinding {
  if (!isRecord(value)) return false;
  const { TCP, TCPConnectWrap, constants } = value;
  if (typeof TCP !== "function" || typeof TCPConnectWrap !== "function") return false;
  return isTcpHandle(TCP.prototype) && isRecord(constants) && typeof constants["SOCKET"] === "number";
}

function isTcpHandle(value: unknown): value is TcpHandle {
  return isRecord(value) && METHODS.every((name) => typeof Reflect.get(value, name) === "function");
}

function isStreamBinding(value: unknown): value is StreamBinding {
  if (!isRecord(value)) return false;
  const { WriteWrap, ShutdownWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = value;
  const areRequests = typeof WriteWrap === "function" && typeof ShutdownWrap === "function";
  const arePlaces = typeof kReadBytesOrError === "number" && typeof kLastWriteWasAsync === "number";
  return areRequests && arePlaces && streamBaseState instanceof Int32Array;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
