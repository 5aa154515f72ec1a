import type { Run } from "../command.ts";
import { readSysctls, setSysctls } from "../sysctls.ts";

/** A setting of the kernel on which it depends what becomes of flows. */
export interface Setting {
  readonly name: string;
  readonly value: string;
  /** What goes wrong where it is not so. */
  readonly otherwise: string;
}

/** Of IPVS alone. */
export const IPVS_SETTINGS: readonly Setting[] = [
  {
    name: "net.ipv4.vs.expire_nodest_conn",
    value: "1",
    otherwise: "flows of a task that is gone hang, rather than end or move on",
  },
  {
    name: "net.ipv4.vs.expire_quiescent_template",
    value: "1",
    otherwise: "clients with affinity stay at a task that is draining",
  },
];

/** Of the machine, for tasks at addresses that are not its own. */
export const FORWARDING: Readonly<Record<4 | 6, Setting>> = {
  4: {
    name: "net.ipv4.ip_forward",
    value: "1",
    otherwise: "replies of tasks do not pass this machine",
  },
  6: {
    name: "net.ipv6.conf.all.forwarding",
    value: "1",
    otherwise: "replies of tasks over IPv6 do not pass this machine",
  },
};

/** Those of `settings` that are otherwise. One that the kernel does not have is not among them. */
export async function otherwiseOf(settings: readonly Setting[], run: Run): Promise<readonly Setting[]> {
  const values = await readSysctls(
    run,
    settings.map(({ name }) => name),
  );
  return settings.filter(({ name, value }) => values.has(name) && values.get(name) !== value);
}

export async function set(settings: readonly Setting[], run: Run): Promise<void> {
  await setSysctls(run, new Map(settings.map(({ name, value }) => [name, value])));
}

export function sentenceOf({ name, value, otherwise }: Setting): string {
  return `${otherwise}: sysctl -w ${name}=${value}`;
}
