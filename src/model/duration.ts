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

/** Milliseconds as {@link parseDuration} reads them, and no less exact: `1m30s`, `1.25s`, `500ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${ms}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  return [
    hours > 0 ? `${hours}h` : "",
    minutes > 0 ? `${minutes}m` : "",
    seconds > 0 ? `${seconds}s` : "",
  ].join("");
}

/** How long something took, for people: as {@link formatDuration}, rounded to what one wants to know; at least `1ms`. */
export function formatSpan(ms: number): string {
  const unit = [...ROUNDED].find(([below]) => ms < below)?.[1] ?? 60_000;
  return formatDuration(Math.max(1, Math.round(ms / unit) * unit));
}

/** Below so many milliseconds, to so many. */
const ROUNDED: readonly (readonly [below: number, unit: number])[] = [
  [1000, 1],
  [10_000, 100],
  [3_600_000, 1000],
];
