import { formatService, type Table, type VirtualService } from "./table.ts";

/**
 * What `ipvsadm --restore` is to read so that a table becomes another.
 *
 * Each line is carried out by itself, so their order has to keep new flows served: who is to come is there before
 * anybody goes. A service exists before its tasks do, so that a new one refuses for as long as its first line is ahead.
 */
export function linesBetween(from: Table, to: Table): string[] {
  const coming: string[] = [];
  const going: string[] = [];
  for (const [key, service] of to) {
    const before = from.get(key);
    if (before === service) continue;
    if (before === undefined) coming.push(`-A ${formatService(service)}`);
    else if (formatService(before) !== formatService(service)) coming.push(`-E ${formatService(service)}`);
    coming.push(...linesIn(service, before));
    for (const endpoint of before?.weights.keys() ?? []) {
      if (!service.weights.has(endpoint)) going.push(`-d ${key} -r ${endpoint}`);
    }
  }
  for (const key of from.keys()) {
    if (!to.has(key)) going.push(`-D ${key}`);
  }
  return [...coming, ...going];
}

/** Those that come or get more first, so that there is somebody when the others get none. */
function linesIn({ key, weights }: VirtualService, before: VirtualService | undefined): string[] {
  const [more, less]: [string[], string[]] = [[], []];
  for (const [endpoint, weight] of weights) {
    const had = before?.weights.get(endpoint);
    if (had === weight) continue;
    const rest = `${key} -r ${endpoint} -m -w ${weight}`;
    if (had === undefined) more.push(`-a ${rest}`);
    else (weight > had ? more : less).push(`-e ${rest}`);
  }
  return [...more, ...less];
}
