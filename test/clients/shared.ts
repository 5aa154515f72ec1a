import { afterAll } from "vitest";

/** What all tests of a file use: opened by the first that needs it, if any does, and closed after the last. */
export function shared<T extends AsyncDisposable>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  afterAll(async () => (await opened)?.[Symbol.asyncDispose]());
  return async () => (opened ??= open());
}
