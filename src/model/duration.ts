import { RotaError } from "../base/error.ts";

const UNITS: ReadonlyMap<string, number> = new Map([
  ["us", 0.001],
  ["ms", 1],
  ["s", 1000],
  ["m", 60_000],
  ["h", 3_600_000],
]);

/**
 * Milliseconds of a duration as Compose writes it: `5s`, `1m30s`, `500ms`; a bare number counts seconds.
 *
 * @throws RotaError `ERR_ROTA_DURATION`
 */
export function parseDuration(text: string | number): number {
  if (typeof text === "number" || /^\d+$/.test(text)) return Number(text) * 1000;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(us|ms|s|m|h)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw new RotaError("ERR_ROTA_DURATION", `"${text}" is not a duration: write it as 5s, 1m30s or 500ms`);
  }
  return parts.reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNITS.get(unit) ?? 0), 0);
}

/** Milliseconds as {@link parseDuration} reads them, `1m30s`: the two largest units that say something, rounded to those. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  // Below ten seconds, tenths tell something: 1.5s.
  if (ms < 10_000) return `${Math.round(ms / 100) / 10}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return partsOf(seconds, 60, "m", "s");
  return partsOf(Math.round(seconds / 60), 60, "h", "m");
}

function partsOf(count: number, per: number, large: string, small: string): string {
  const [whole, rest] = [Math.floor(count / per), count % per];
  return `${whole > 0 ? `${whole}${large}` : ""}${rest > 0 || whole === 0 ? `${rest}${small}` : ""}`;
}
