/** What the thread that has the registry tells those that have a book: plain values, which go from thread to thread. */
export type Mail = { readonly kind: "todo" };
