import type { Port } from "./declaration.ts";

/** Whether tasks listen for both at one place, whatever the ports are called. */
export function isSamePlace(one: Port, other: Port): boolean {
  return placeKey(one) === placeKey(other);
}

/** `said` and `more`, without those of `more` of which something is said already. */
export function addPorts(said: readonly Port[], more: readonly Port[]): readonly Port[] {
  // Of one place, a Map keeps the last: the first counts.
  const publishing = more.filter(({ published }) => published !== undefined).toReversed();
  const publishedAt = new Map(publishing.map((port) => [placeKey(port), port.published]));
  const ports = said.map((port) => ({
    ...port,
    published: port.published ?? publishedAt.get(placeKey(port)),
  }));
  const names = new Set(ports.map(nameKey));
  const places = new Set(ports.map(placeKey));
  // Named ones first: a number says nothing that a name does not.
  for (const port of [...more.filter(isNamed), ...more.filter((port) => !isNamed(port))]) {
    if (names.has(nameKey(port)) || (!isNamed(port) && places.has(placeKey(port)))) continue;
    names.add(nameKey(port));
    places.add(placeKey(port));
    ports.push(port);
  }
  return ports;
}

/** Whether somebody called it other than by its number. */
export function isNamed({ name, target }: Port): boolean {
  return name !== String(target);
}

function placeKey({ target, protocol }: Port): string {
  return `${target}/${protocol}`;
}

function nameKey({ name, protocol }: Port): string {
  return `${name}/${protocol}`;
}
