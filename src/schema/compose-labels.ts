/** A label as it was written, and its step in a path: its key in a mapping, its place in a list. */
export interface WrittenLabel {
  readonly key: string;
  readonly value: string;
  readonly step: string | number;
}

/** What a word may stand for: it goes to the shapes of a services file, which say whether it does. */
export type Words = Readonly<Record<string, unknown>>;

type Tree = Map<string, unknown>;

const OURS = "rota.";
/** These are on single containers: nothing of a services file says them. */
const OF_CONTAINERS: ReadonlySet<string> = new Set(["enable", "service", "slot", "weight", "address"]);
/** No word lies deeper; dots beyond are part of the last key. */
const MAX_DEPTH = 5;

/**
 * The words of a services file that `rota.*` labels are: `rota.healthcheck.http=/up` is `healthcheck: { http: /up }`,
 * `rota.port.http=8080/udp` a port named http. Numbers, `true` and `false` are what they look like.
 */
export function wordsOfLabels(labels: readonly WrittenLabel[]): Words {
  const tree: Tree = new Map();
  const ports: Words[] = [];
  for (const { key, value } of labels) {
    const steps = stepsOf(key);
    const [word = "", ...below] = steps;
    if (!isOurs(key) || OF_CONTAINERS.has(word)) continue;
    if (word === "port") ports.push(portOf(below.join("."), value));
    else put(tree, steps, word === "aliases" ? value.split(",").map((alias) => alias.trim()) : plain(value));
  }
  if (ports.length > 0) tree.set("ports", ports);
  return objectOf(tree);
}

/** The label that says what a path in its {@link wordsOfLabels} does, if one does. */
export function labelAt(
  labels: readonly WrittenLabel[],
  path: readonly (string | number)[],
): WrittenLabel | undefined {
  const [word, at] = path;
  const ours = labels.filter(({ key }) => isOurs(key));
  if (word === "ports") return ours.filter(({ key }) => stepsOf(key)[0] === "port")[Number(at)];
  const fits = ({ key }: WrittenLabel): boolean =>
    stepsOf(key).every((step, at) => at >= path.length || step === path[at]);
  return ours.find(fits) ?? ours.find(({ key }) => stepsOf(key)[0] === word);
}

/** The value of the label with this key; of several, the last. */
export function labelNamed(labels: readonly WrittenLabel[], key: string): string | undefined {
  return labels.findLast((label) => label.key === key)?.value;
}

function isOurs(key: string): boolean {
  return key.startsWith(OURS);
}

function stepsOf(key: string): string[] {
  const steps = key.slice(OURS.length).split(".");
  // What is put into a TXT record may have dots in its key.
  const depth = steps[0] === "labels" ? 2 : MAX_DEPTH;
  return steps.length <= depth ? steps : [...steps.slice(0, depth - 1), steps.slice(depth - 1).join(".")];
}

function portOf(name: string, value: string): Words {
  const [, target, protocol] = /^(\d+)(?:\/(\w+))?$/.exec(value) ?? [];
  if (target === undefined) return { name, target: value };
  return { name, target: Number(target), ...(protocol !== undefined && { protocol }) };
}

function put(tree: Tree, [step = "", ...below]: readonly string[], value: unknown): void {
  if (below.length === 0) {
    tree.set(step, value);
    return;
  }
  const known = tree.get(step);
  const next: Tree = known instanceof Map ? known : new Map();
  tree.set(step, next);
  put(next, below, value);
}

function plain(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : text;
}

function objectOf(tree: Tree): Words {
  return Object.fromEntries(
    [...tree].map(([key, value]) => [key, value instanceof Map ? objectOf(value) : value]),
  );
}
