import type { Run } from "./command.ts";

/**
 * The kernel's settings of those names, as `net.ipv4.ip_forward`; what is not there is left out. As sysctl(8) has it, a dot
 * within a part of a name is written as a slash: `net.ipv4.conf.eth0/5.rp_filter`.
 */
export async function readSysctls(run: Run, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (names.length === 0) return new Map();
  // A process sees those of the network namespace that it is in, whatever is mounted.
  const script = 'for file; do value=; read -r value 2>/dev/null < "$file"; echo "$value"; done';
  const values = (await run("sh", ["-c", script, "sh", ...names.map(sysctlPath)])).split("\n");
  return new Map(
    names.map((name, at) => [name, values[at] ?? ""] as const).filter(([, value]) => value !== ""),
  );
}

export async function setSysctls(run: Run, settings: ReadonlyMap<string, string>): Promise<void> {
  const script = 'while [ $# -gt 0 ]; do echo "$2" > "$1"; shift 2; done';
  const pairs = [...settings].flatMap(([name, value]) => [sysctlPath(name), value]);
  await run("sh", ["-ec", script, "sh", ...pairs]);
}

function sysctlPath(name: string): string {
  return `/proc/sys/${name.replaceAll(/[./]/g, (mark) => (mark === "." ? "/" : "."))}`;
}
