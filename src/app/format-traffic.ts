import { count } from "../base/count.ts";
import { table } from "./table.ts";
import type { PlaneTraffic, PortTraffic, TaskTraffic, Traffic } from "./traffic.ts";

/** So many tasks of a port are told; those that get no new flows come first. */
const MAX_TASKS = 50;

/** Traffic for people: what is carried where, then what is not, and why. */
export function formatTraffic({ planes, troubles }: Traffic): string {
  const told = planes.filter(({ services, strangers }) => services.length + strangers.length > 0);
  const carried = told.length > 0 ? told.map(formatPlane).join("\n") : "nothing is carried\n";
  return carried + troubles.map((trouble) => `trouble: ${trouble}\n`).join("");
}

function formatPlane({ kind, netns, services, strangers, counts }: PlaneTraffic): string {
  const lines = services.flatMap(({ name, ports }) => [name, ...ports.flatMap(portLines)]);
  const others = strangers.map((stranger) => `of nobody: ${stranger}`);
  const counted = Object.entries(counts).flatMap(([what, number]) =>
    number > 0 ? `${what}: ${number}` : [],
  );
  const place = netns === undefined ? kind : `${kind} in ${netns}`;
  const sum = counted.length > 0 ? [`  ${counted.join(", ")}`] : [];
  return `${[`${place}: ${count(services.length, "service")}`, ...sum, ...lines, ...others].join("\n")}\n`;
}

function portLines({ at, balance, tasks }: PortTraffic): string[] {
  const serving = tasks.filter(({ duty }) => duty === "serving").length;
  const state = tasks.length === 0 ? "no task" : `${serving} of ${count(tasks.length, "task")} serving`;
  const first = tasks.toSorted((one, other) => rank(one) - rank(other)).slice(0, MAX_TASKS);
  const rest = tasks.length - first.length;
  return [
    `  ${at}  ${balance}, ${state}`,
    ...table(first.map(taskCells)),
    ...(rest > 0 ? [`    and ${count(rest, "more task")}`] : []),
  ];
}

function rank({ duty }: TaskTraffic): number {
  return duty === "serving" ? 1 : 0;
}

function taskCells({ task, at, node, duty, weight, flows, active }: TaskTraffic): string[] {
  const place = node === undefined ? at : `${at} on ${node}`;
  const state = duty === "serving" ? `weight ${weight}` : duty;
  const given = flows === undefined ? "" : count(flows, "flow");
  return [`    ${task}`, place, state, given, active === undefined ? "" : `${active} open`];
}
