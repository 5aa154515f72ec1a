/** First in, first out, at the same cost however many there are. */
export interface Fifo<T> {
  readonly length: number;
  push(item: T): void;
  peek(): T | undefined;
  shift(): T | undefined;
}

/** Where an array would move all that is left with each that leaves, this moves them when half have left. */
export function createFifo<T>(): Fifo<T> {
  let items: T[] = [];
  let first = 0;

  return {
    get length() {
      return items.length - first;
    },
    push(item) {
      items.push(item);
    },
    peek: () => items[first],
    shift() {
      const item = items[first];
      if (first === items.length) return undefined;
      first += 1;
      if (first * 2 >= items.length) {
        items = items.slice(first);
        first = 0;
      }
      return item;
    },
  };
}
