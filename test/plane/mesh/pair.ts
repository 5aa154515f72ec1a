import { type Namespace, openNamespace } from "../../clients/namespace.ts";
import { outputOf } from "../../run.ts";

/** Two nodes on one link: 10.99.0.1 and fd99::1, 10.99.0.2 and fd99::2. */
export interface Pair extends AsyncDisposable {
  readonly one: Node;
  readonly other: Node;
}

export interface Node {
  readonly pid: string;
  /** The network namespace that it is. */
  readonly netns: string;
  run(line: string): Promise<string>;
}

export async function openPair(): Promise<Pair> {
  const [one, other] = [await openNamespace(), await openNamespace()];
  const nodes = [nodeIn(one), nodeIn(other)] as const;
  // No address waits for doubles: IPv6 would be silent for a second.
  for (const node of nodes) await node.run("echo 0 > /proc/sys/net/ipv6/conf/default/accept_dad");
  await nodes[0].run(`ip link add eth0 type veth peer name eth0 netns ${pidOf(other)}`);
  for (const [at, node] of nodes.entries()) {
    await node.run("ip link set eth0 up");
    await node.run(`ip address add 10.99.0.${at + 1}/24 dev eth0`);
    await node.run(`ip address add fd99::${at + 1}/64 dev eth0 nodad`);
  }
  return {
    one: nodes[0],
    other: nodes[1],
    async [Symbol.asyncDispose]() {
      await one[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
    },
  };
}

function nodeIn(namespace: Namespace): Node {
  const [program = "", ...args] = namespace.enter;
  return {
    pid: pidOf(namespace),
    netns: `/proc/${pidOf(namespace)}/ns/net`,
    run: async (line) => outputOf(program, [...args, "sh", "-ec", line]),
  };
}

/** Of who holds it open. */
function pidOf({ enter }: Namespace): string {
  return enter[enter.indexOf("--target") + 1] ?? "";
}
