/** Unhealthy as soon as there is a file `/sick`. */
export const FALLS_SICK = [
  "--health-cmd",
  "test ! -e /sick",
  "--health-interval",
  "200ms",
  "--health-retries",
  "1",
];

/** Without what takes time alone; one that ends is not replaced while anybody looks. */
export const QUICK = [
  "--detach",
  "--no-resolve-image",
  "--stop-signal",
  "KILL",
  "--restart-delay",
  "1h",
  "--update-monitor",
  "1ms",
];

/** As Compose runs a container of its project `shop`. */
export function composed(name: string, number: number): readonly string[] {
  const labels = { project: "shop", service: name, "container-number": String(number), oneoff: "False" };
  return [
    "--network-alias",
    name,
    "--label",
    "rota.port.http=8080",
    ...Object.entries(labels).flatMap(([key, value]) => ["--label", `com.docker.compose.${key}=${value}`]),
  ];
}
