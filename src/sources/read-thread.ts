import { Worker } from "node:worker_threads";
import { RotaError } from "../base/error.ts";
import { read, type ReadReply, type ReadRequest } from "./read.ts";

/**
 * What is read where it is asked for. YAML takes about a microsecond an octet, so this much holds a DNS answer up
 * by less than a tenth of a second; above it, a thread of its own is worth its start.
 */
const SMALL_OCTETS = 65_536;

/**
 * Reads a set of files where it holds up nobody: large ones in a thread, which ends with the reading or the signal.
 *
 * @throws RotaError `ERR_ROTA_SERVICES_FILE`: the thread ended without an answer, as for lack of memory
 */
export async function readAside(request: ReadRequest, signal: AbortSignal): Promise<ReadReply> {
  signal.throwIfAborted();
  const octets = request.files.reduce(
    (sum, file) => sum + (file.kind === "unread" ? file.octets.length : 0),
    0,
  );
  return octets <= SMALL_OCTETS ? read(request) : readInThread(request, signal);
}

async function readInThread(request: ReadRequest, signal: AbortSignal): Promise<ReadReply> {
  // The build's name for it: a thread loads the file as it is, and there is no other.
  const worker = new Worker(new URL("./read-worker.js", import.meta.url), { workerData: request });
  const end = (): void => void worker.terminate();
  signal.addEventListener("abort", end, { once: true });
  try {
    return await new Promise<ReadReply>((resolve, reject) => {
      worker.once("message", resolve);
      worker.once("error", (cause) => {
        reject(
          new RotaError("ERR_ROTA_SERVICES_FILE", `the thread that reads failed: ${cause.message}`, {
            cause,
          }),
        );
      });
      worker.once("exit", (code) => {
        reject(new RotaError("ERR_ROTA_SERVICES_FILE", `the thread that reads ended with code ${code}`));
      });
    });
  } finally {
    signal.removeEventListener("abort", end);
    await worker.terminate();
  }
}
