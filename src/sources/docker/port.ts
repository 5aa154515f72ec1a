import type { EnginePort } from "./snapshot.ts";

/** One port, or none where it makes no sense. */
export function parsePort(target: unknown, protocol: unknown, published: unknown): readonly EnginePort[] {
  if (!isPort(target)) return [];
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp") return [];
  return [{ target, protocol, published: isPort(published) ? published : undefined }];
}

export function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value > 0 && value < 65_536;
}
