import type { Port } from "./declaration.ts";

/** Whether tasks listen for both at one place, whatever the ports are called. */
export function isSamePlace(one: Port, other: Port): boolean {
  return placeKey(one) === placeKey(other);
}

/** `said` and `more`, without those of `more` of which something is said already. */
export function addPorts(said: readonly Port[], more: readonly Port[]): readonly Port[] {
  const ports = said.map((port) => {
    if (port.published !== undefined) return port;
    const published = more.find(
      (other) => isSamePlace(port, other) && other.published !== undefined,
    )?.published;
    return { ...port, published };
  });
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

function isNamed({ name, target }: Port): boolean {
  return name !== String(target);
}

function placeKey({ target, protocol }: Port): string {
  return `${target}/${protocol}`;
}

function nameKey({ name, protocol }: Port): string {
  return `${name}/${protocol}`;
}
