import { ArgumentError, ones, zeros } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import * as exported from "../src/index.ts";

const ofTwo = [
  "bceLoss",
  "bceWithLogitsLoss",
  "crossEntropyLoss",
  "diceLoss",
  "focalLoss",
  "huberLoss",
  "klDivLoss",
  "l1Loss",
  "mseLoss",
  "nllLoss",
  "smoothL1Loss",
] as const;
const ofThree = ["cosineEmbeddingLoss", "tripletMarginLoss"] as const;
const loss = { ...exported };
const x = ones([2, 2]);

describe.each([
  [[1, 0], "an array"],
  [undefined, "undefined"],
])("what is no tensor is refused by each loss: %o", (wrong, shown) => {
  const given = wrong as never;
  const rule = `: it must be given a tensor, got ${shown}. Make one with tensor(…).`;

  test.each(ofTwo)("%s", (name) => {
    expect(() => loss[name](given, x)).toThrow(ArgumentError);
    expect(() => loss[name](given, x)).toThrow(name + rule);
    expect(() => loss[name](x, given)).toThrow(name + rule);
  });

  test.each(ofThree)("%s", (name) => {
    expect(() => loss[name](given, x, x)).toThrow(name + rule);
    expect(() => loss[name](x, given, x)).toThrow(name + rule);
    expect(() => loss[name](x, x, given)).toThrow(name + rule);
  });

  test("as a module", () => {
    expect(() => new loss.MSELoss().forward(x, given)).toThrow(`mseLoss${rule}`);
    expect(() => new loss.CrossEntropyLoss().forward(given, x)).toThrow(`crossEntropyLoss${rule}`);
  });
});

test("no loss function is left out", () => {
  const all = Object.keys(loss).filter((name) => /^[a-z]/.test(name));
  expect(all.sort()).toEqual([...ofTwo, ...ofThree].sort());
});

test("a weight is a tensor; null is none, as in PyTorch", () => {
  const classes = zeros([2], { dtype: "int32" });
  for (const name of ["crossEntropyLoss", "nllLoss"] as const) {
    expect(() => loss[name](x, classes, { weight: [1, 2] as never })).toThrow(
      `${name}: it must be given a tensor, got an array.`,
    );
    const y = loss[name](x, classes, { weight: null as never });
    expect(y.itemSync()).toBe(loss[name](x, classes).itemSync());
  }
  const none = { weight: null, posWeight: null } as never;
  expect(loss.bceWithLogitsLoss(x, x, none).itemSync()).toBe(
    loss.bceWithLogitsLoss(x, x).itemSync(),
  );
  for (const Loss of [loss.CrossEntropyLoss, loss.NLLLoss, loss.BCELoss]) {
    expect(new Loss({ weight: null as never }).weight).toBeUndefined();
  }
});
