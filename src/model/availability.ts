/**
 * What the operator says of a task, in Docker's word for it. `active`: nothing. `drain`: nobody is sent to it any
 * more, and who is there may finish; it is still checked. `maintenance`: it is out, and not checked either; once
 * it is active again, it must pass before it serves.
 */
export type Availability = "active" | "drain" | "maintenance";

export const AVAILABILITIES = ["active", "drain", "maintenance"] as const satisfies readonly Availability[];

/** Says of the tasks that it fits what the operator wants. Of several that fit, the last counts. */
export interface AvailabilityRule {
  /** Fits the name of a service with its namespace, as `web.shop`; folded. */
  readonly service: Glob;
  /** Fits a task by its id or an address of it; folded. */
  readonly task: Glob;
  readonly availability: Availability;
  /** Where it stands, as `admin.state:3`, for people. */
  readonly origin: string;
}

/** Text in which `*` stands for any run of characters and `?` for any one. */
export type Glob = string;

/** Takes time in proportion to glob times text, whatever they are. */
export function fits(glob: Glob, text: string): boolean {
  let at = 0;
  let from = 0;
  /** Behind the last star, and what it stands for so far. */
  let star = -1;
  let starEnd = 0;
  while (from < text.length) {
    if (glob[at] === "*") {
      star = ++at;
      starEnd = from;
    } else if (at < glob.length && (glob[at] === "?" || glob[at] === text[from])) {
      at++;
      from++;
    } else if (star >= 0) {
      at = star;
      from = ++starEnd;
    } else {
      return false;
    }
  }
  while (glob[at] === "*") at++;
  return at === glob.length;
}
