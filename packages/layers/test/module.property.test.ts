import fc from "fast-check";
import { expect, test } from "vitest";
import { Identity, type Layer, Linear, Residual, Sequential } from "../src/index.ts";

/** Models of nested blocks; all sizes are 2, so that any of them fits behind any other. */
const layer: fc.Arbitrary<() => Layer> = fc.letrec<{ layer: () => Layer }>((tie) => ({
  layer: fc.oneof(
    { maxDepth: 3 },
    fc.constant(() => new Identity()),
    fc.boolean().map((bias) => () => new Linear(2, 2, { bias })),
    tie("layer").map((make) => () => new Residual(make())),
    fc.array(tie("layer"), { maxLength: 3 }).map((makes) => () => {
      return new Sequential(...makes.map((make) => make()));
    }),
  ),
})).layer;

test("any model: keys are distinct, counts agree, and a copy loads its state", () => {
  fc.assert(
    fc.property(layer, (make) => {
      const [model, copy] = [make(), make()];
      const keys = model.namedParameters().map(([key]) => key);
      const state = model.stateDict();
      expect(new Set(keys).size).toBe(keys.length);
      expect(Object.keys(state)).toEqual(keys);
      const counts = model.children().map((child) => child.numParameters);
      const own = model.namedParts().flatMap(([, part]) => ("numel" in part ? [part.numel] : []));
      expect([...counts, ...own].reduce((a, b) => a + b, 0)).toBe(model.numParameters);
      copy.loadStateDict(state);
      for (const [key, parameter] of copy.namedParameters()) {
        expect(parameter.arraySync()).toEqual(state[key].arraySync());
      }
      expect(String(copy)).toBe(String(model));
    }),
    { numRuns: 25, seed: 1 },
  );
});
