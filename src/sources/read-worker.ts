import { parentPort, workerData } from "node:worker_threads";
import { read, type ReadRequest } from "./read.ts";

// Reads one set of files in a thread of its own, and ends: what it took up is the machine's again.
const request: ReadRequest = workerData;
parentPort?.postMessage(read(request), []);
