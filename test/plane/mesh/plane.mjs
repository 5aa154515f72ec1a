// What a node of the mesh carries published ports with: all planes as one.

import { createPlanes } from "../../../dist/plane/planes.js";

export function createMeshPlane({ log, isCleanup }) {
  const planes = createPlanes({ choice: "nftables", isCleanup, log });
  return {
    apply: async (state) => planes.apply({ ...state, namespaces: new Map() }),
    look: async () => planes.look(),
    [Symbol.asyncDispose]: async () => planes[Symbol.asyncDispose](),
  };
}
