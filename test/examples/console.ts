/** A command that a README shows, and what it says comes of it. */
export interface Shown {
  readonly command: string;
  readonly lines: readonly string[];
}

/** The commands in the `console` blocks of a README: each stands behind `$ `, its output under it. */
export function readConsole(markdown: string): readonly Shown[] {
  const blocks = [...markdown.matchAll(/^```console\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = "", ...lines] = part.trimEnd().split("\n");
        return { command, lines };
      }),
  );
}

/** What is another number each time, as one that is the same: the id of a DNS message. */
export function settled(output: string): readonly string[] {
  const text = output.trimEnd().replaceAll(/\bid: \d+/g, "id: N");
  return text === "" ? [] : text.split("\n");
}

/** By how many lines `real` is ahead of `shown`, the last followed by the first; undefined: it is not the same. */
export function turnBetween(shown: readonly string[], real: readonly string[]): number | undefined {
  const turns = [...real.keys(), ...(real.length === 0 ? [0] : [])];
  return turns.find((turn) => {
    const turned = [...shown.slice(turn), ...shown.slice(0, turn)];
    return turned.length === real.length && turned.every((line, at) => line === real[at]);
  });
}
