import { afterAll, beforeAll, describe, expect } from "vitest";
import { missingOf, type Needs, testNeeding } from "../needing.ts";
import type { Ability, Clause, Scene } from "./contract/clause.ts";
import { FLOWS } from "./contract/flows.ts";
import { REACH } from "./contract/reach.ts";
import { REFUSALS } from "./contract/refusals.ts";
import { stateOf } from "./contract/services.ts";
import { SPREAD } from "./contract/spread.ts";
import { STATES } from "./contract/states.ts";
import type { Lab, LabPlane, PlaneChoice } from "./lab/lab.ts";

/** A plane, and where it is tried. */
export interface Subject {
  readonly plane: PlaneChoice;
  readonly needs: Needs;
  /** What the plane cannot, each with the reason: such clauses are run, and have to fail. */
  readonly cannot: Partial<Readonly<Record<Ability, string>>>;
  /** Which clauses. @default all */
  readonly clauses?: readonly Clause[];
  open(): Promise<Lab>;
}

const CLAUSES: readonly Clause[] = [...SPREAD, ...REFUSALS, ...REACH, ...FLOWS, ...STATES];

/** What a lab, or a guest in which it is, may take to start. */
const OPEN_MS = 90_000;

/** Declares the tests that every plane passes: one lab and one plane for all of them. */
export function contractOf(title: string, { plane, needs, cannot, clauses = CLAUSES, open }: Subject): void {
  describe(title, () => {
    let scene: OpenScene | undefined;
    beforeAll(async () => {
      if (missingOf(needs).length === 0) scene = await openScene(await open(), plane);
    }, OPEN_MS);
    afterAll(async () => scene?.close(), OPEN_MS);

    const there = (): Scene => {
      if (!scene) throw new Error("the lab was not opened");
      return scene;
    };
    for (const { name, needs: abilities, run } of clauses) {
      const lacking = abilities.find((ability) => cannot[ability] !== undefined);
      if (lacking === undefined) {
        testNeeding(needs)(name, async () => run(there()));
        continue;
      }
      // One that learns it is to be struck off the list.
      testNeeding(needs)(`not ${name}: ${cannot[lacking]}`, async () => {
        await expect(run(there()), "it can, after all").rejects.toBeInstanceOf(Error);
      });
    }
  });
}

/** A scene that ends with its lab. */
export interface OpenScene extends Scene {
  close(): Promise<void>;
}

export async function openScene(lab: Lab, choice: PlaneChoice): Promise<OpenScene> {
  let plane: LabPlane = await lab.openPlane(choice);
  return {
    lab,
    get plane() {
      return plane;
    },
    async apply(...services) {
      const [report] = await plane.apply(stateOf(lab, services));
      expect(report?.troubles.map(({ message }) => message)).toEqual([]);
    },
    async replacePlane() {
      await plane.kill();
      plane = await lab.openPlane(choice);
    },
    async close() {
      await plane[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}
