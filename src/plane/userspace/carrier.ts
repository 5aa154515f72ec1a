import { createHandleCarrier } from "./handle-carrier.ts";
import { findHandles } from "./handles.ts";
import type { Carrier } from "./side.ts";
import { createSocketCarrier } from "./socket-carrier.ts";

/** The fastest that this Node has. */
export function createCarrier(): Carrier {
  const handles = findHandles();
  const plain = createSocketCarrier();
  return handles ? createHandleCarrier(handles, plain) : plain;
}
