/** Memory that all threads see, by which a book knows whether what it has still holds. Goes from thread to thread as it is. */
export interface Shared {
  readonly todo: SharedArrayBuffer;
}
