import { isIP } from "node:net";
import { RotaError } from "../base/error.ts";
import type { Port, Protocol } from "../model/declaration.ts";
import { isProtocol, portAt } from "./words.ts";

/** What a line of `ports` or `expose` comes to. */
export interface WrittenPorts {
  readonly ports: readonly Port[];
  /** How many more it means, of which nothing is made. */
  readonly leftOut: number;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** A wider range is one of connections, as those of RTP and TURN are: nobody asks for the SRV record of each. */
const MAX_RANGE = 100;

/**
 * Ports as Compose writes them in short: `80`, `8080:80`, `127.0.0.1:8080:80/udp`, `[::1]:8080:80`, and ranges in
 * place of numbers. Where a range is published for one port, the engine decides which of it is.
 *
 * @throws RotaError `ERR_ROTA_DECLARATION`
 */
export function parseComposePorts(text: string): WrittenPorts {
  const [, places = "", protocol = "tcp"] = /^([^/]*)(?:\/(\w+))?$/.exec(text.toLowerCase()) ?? [];
  const parts = places.split(":");
  const target = rangeOf(parts.pop() ?? "");
  const published = parts.pop() ?? "";
  const host = parts.join(":").replace(/^\[(.*)\]$/, "$1");
  const publishedRange = published === "" ? undefined : rangeOf(published);
  const isWrong = published !== "" && publishedRange === undefined;
  if (target === undefined || isWrong || !isProtocol(protocol) || (host !== "" && isIP(host) === 0)) {
    throw unfit(
      `"${text}" is not a port: write 8080, "80:8080" (published:target), "127.0.0.1:80:8080/udp" or ranges, as "80-81:8080-8081"`,
    );
  }
  if (publishedRange && sizeOf(target) > 1 && sizeOf(target) !== sizeOf(publishedRange)) {
    throw unfit(
      `"${text}" publishes ${sizeOf(publishedRange)} ports for ${sizeOf(target)}: write as many of both`,
    );
  }
  return portsOf(target, publishedRange, protocol);
}

/** Ports as Compose exposes them: `3000`, `3000/udp`, `3000-3005`. @throws RotaError `ERR_ROTA_DECLARATION` */
export function parseExposed(text: string): WrittenPorts {
  if (!text.includes(":")) return parseComposePorts(text);
  throw unfit(
    `"${text}" is not a port to expose: write 3000, "3000/udp" or "3000-3005", or it belongs under ports`,
  );
}

/** What is published, in Compose's long form: a port, or a range of which the engine takes one. @throws as that */
export function parsePublished(text: string): number | undefined {
  if (text === "") return undefined;
  const range = rangeOf(text);
  if (range === undefined)
    throw unfit(`"${text}" is not a port: write "8080", or "8080-8090" for any of those`);
  return sizeOf(range) === 1 ? range.from : undefined;
}

function portsOf(target: Range, published: Range | undefined, protocol: Protocol): WrittenPorts {
  const size = sizeOf(target);
  if (size > MAX_RANGE) return { ports: [], leftOut: size };
  const isPaired = published !== undefined && sizeOf(published) === size;
  const ports = Array.from({ length: size }, (_, at) =>
    portAt(target.from + at, { protocol, published: isPaired ? published.from + at : undefined }),
  );
  return { ports, leftOut: 0 };
}

function rangeOf(text: string): Range | undefined {
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  return from >= 1 && to <= 65_535 && from <= to ? { from, to } : undefined;
}

function sizeOf({ from, to }: Range): number {
  return to - from + 1;
}

function unfit(message: string): RotaError {
  return new RotaError("ERR_ROTA_DECLARATION", message);
}
