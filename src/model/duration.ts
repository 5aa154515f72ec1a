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
