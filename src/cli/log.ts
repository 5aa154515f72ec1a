import { pino } from "pino";
import { PinoPretty } from "pino-pretty";
import type { Log } from "../base/log.ts";
import type { LogLevel } from "./options.ts";

export type LogFormat = "text" | "json";

/** Writes to stderr, at once: what is said last before an exit is what matters most. */
export function createLog(level: LogLevel, format: LogFormat): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  if (format === "json") return pino(options, pino.destination({ dest: 2, sync: true }));
  return pino(options, createPretty(level));
}

/** Lines for people: the time, the level if it is one to look at, the message; the fields only at debug. */
function createPretty(level: LogLevel): ReturnType<typeof PinoPretty> {
  return PinoPretty({
    destination: 2,
    sync: true,
    colorize: process.stderr.isTTY,
    translateTime: "SYS:HH:MM:ss.l",
    // Together with hideObject, singleLine would leave out the end of the line.
    ...(level === "debug" ? { singleLine: true } : { hideObject: true }),
  });
}
