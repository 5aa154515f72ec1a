import type { Rota, ServiceState, TaskState } from "../../src/index.ts";

/** Resolves when it is so of the service: now, or after a change. */
export async function untilService(
  rota: Rota,
  name: string,
  isSo: (service: ServiceState) => boolean,
): Promise<void> {
  const ends = new AbortController();
  await new Promise<void>((resolve) => {
    const look = (): void => {
      const service = rota.services().find((service) => service.name === name);
      if (service && isSo(service)) resolve();
    };
    rota.follow(look, ends.signal);
    look();
  });
  ends.abort();
}

/** As {@link untilService}, of a task: `untilTask(rota, "web/a", ({ isServing }) => !isServing)`. */
export async function untilTask(
  rota: Rota,
  place: string,
  isSo: (task: TaskState) => boolean,
): Promise<void> {
  const [service = "", id = ""] = place.split("/");
  await untilService(rota, service, ({ tasks }) => tasks.some((task) => task.id === id && isSo(task)));
}
