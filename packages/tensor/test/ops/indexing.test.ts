import { DTypeError, IndexError, ShapeError } from "@gradloom/engine";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { arange, tensor, zeros } from "../../src/create.ts";
import { realize, setBackend } from "../../src/engine.ts";
import { noGrad } from "../../src/grad-mode.ts";
import { gather, indexSelect, scatter, take } from "../../src/ops/indexing.ts";
import { Tensor } from "../../src/tensor.ts";

const int32 = { dtype: "int32" } as const;
const index = (data: number | number[] | number[][]) => tensor(data, int32);
const x = () =>
  tensor(
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    { requiresGrad: true },
  );

/** Where {@link parts} are scattered: the first two of the first row to one place. */
const places = () =>
  index([
    [0, 0],
    [2, 1],
  ]);
const parts = () =>
  tensor([
    [10, 20, 0],
    [30, 40, 0],
  ]);

describe("gather", () => {
  test("along each axis, in both orders of arguments", () => {
    expect(
      x()
        .gather(index([[1, 0, 1]]), 0)
        .arraySync(),
    ).toEqual([[4, 2, 6]]);
    expect(
      x()
        .gather(
          1,
          index([
            [2, 2],
            [0, 1],
          ]),
        )
        .arraySync(),
    ).toEqual([
      [3, 3],
      [4, 5],
    ]);
    expect(gather(x(), index([[2]]), -1).arraySync()).toEqual([[3]]);
    expect(gather(x(), -1, index([[2]])).arraySync()).toEqual([[3]]);
  });

  test("the gradient goes back to where elements came from, as often as they were taken", () => {
    const from = x();
    from
      .gather(1, index([[2, 2, 0]]))
      .mul(tensor([1, 10, 100]))
      .sum()
      .backward();
    expect(from.grad?.arraySync()).toEqual([
      [100, 0, 11],
      [0, 0, 0],
    ]);
  });

  test("indices that are computed, and uint8", () => {
    expect(
      x()
        .gather(1, x().argmax(1, { keepdim: true }))
        .arraySync(),
    ).toEqual([[3], [6]]);
    const bytes = tensor([[2], [0]], { dtype: "uint8" });
    expect(x().gather(1, bytes).arraySync()).toEqual([[3], [4]]);
  });

  test("shapes and dtypes that do not fit", () => {
    expect(() => x().gather(1, index([0, 1]))).toThrow(ShapeError);
    expect(() => x().gather(1, index([[0], [0], [0]]))).toThrow(
      "gather: the index must have the axes of the tensor, none of them longer but axis 1, got [3, 1] for [2, 3].",
    );
    expect(() => x().gather(2, index([[0]]))).toThrow(
      "gather: the axis must be in [-2, 1], got 2.",
    );
    expect(() => x().gather(1, tensor([[0]]))).toThrow(DTypeError);
    expect(() => x().gather(1, tensor([[true]]))).toThrow(
      'gather: indices must be int32 or uint8, got bool. Convert them with to("int32").',
    );
  });
});

describe("scatter", () => {
  test("puts elements at indices, the last of several", () => {
    const y = x().scatter(1, places(), parts());
    expect(y.arraySync()).toEqual([
      [20, 2, 3],
      [4, 40, 30],
    ]);
    expect(
      x()
        .scatter(index([[0], [1]]), 9.5, 1)
        .arraySync(),
    ).toEqual([
      [9.5, 2, 3],
      [4, 9.5, 6],
    ]);
    const whole = index([1, 2, 3]);
    expect(scatter(whole, index([2]), 7, 0).arraySync()).toEqual([1, 2, 7]);
    expect(whole.scatter(0, index([2]), 7).dtype).toBe("int32");
  });

  test("the gradient goes to what is there in the end", () => {
    const to = x();
    const src = tensor(
      [
        [10, 20],
        [30, 40],
      ],
      { requiresGrad: true },
    );
    const weights = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    to.scatter(
      1,
      index([
        [0, 0],
        [2, 1],
      ]),
      src,
    )
      .mul(weights)
      .sum()
      .backward();
    expect(to.grad?.arraySync()).toEqual([
      [0, 2, 3],
      [4, 0, 0],
    ]);
    expect(src.grad?.arraySync()).toEqual([
      [0, 1],
      [6, 5],
    ]);
  });

  test("what does not fit", () => {
    expect(() => x().scatter(1, index([[0, 1]]), tensor([[1]]))).toThrow(
      "scatter: src must have an element for each index, got [1, 1] for [1, 2].",
    );
    expect(() => x().scatter(1, index([[0]]), index([[1]]))).toThrow(
      'scatter: dtypes must be equal, got int32 for float32. Convert it with to("float32").',
    );
  });
});

test("scatterAdd adds up, in the rules of the dtype", () => {
  const y = x().scatterAdd(1, places(), parts());
  expect(y.arraySync()).toEqual([
    [31, 2, 3],
    [4, 45, 36],
  ]);
  const bytes = tensor([200, 1], { dtype: "uint8" });
  expect(bytes.scatterAdd(0, index([0]), bytes).arraySync()).toEqual([144, 1]);
  const flags = tensor([false, true]);
  expect(flags.scatterAdd(0, index([0, 0]), tensor([true, true])).arraySync()).toEqual([1, 1]);
  expect(() => x().scatterAdd(0, index([[0]]), index([[1]]))).toThrow(DTypeError);
});

test("scatterAdd of many is the same on any number of threads, in the order of the source", () => {
  const src = Array.from({ length: 1000 }, (_, i) => Math.fround(Math.sin(i) * 10 ** (i % 7)));
  const at = src.map((_, i) => (i * i) % 5);
  const expected = new Float32Array(5);
  src.forEach((value, i) => {
    expected[at[i]] += value;
  });
  const sum = zeros([5]).scatterAdd(0, index(at), tensor(src));
  expect(sum.allclose(tensor(expected), { rtol: 1e-4 })).toBe(true);
});

test("indexSelect", () => {
  expect(
    x()
      .indexSelect(0, index([1, 0, 1]))
      .arraySync(),
  ).toEqual([
    [4, 5, 6],
    [1, 2, 3],
    [4, 5, 6],
  ]);
  expect(
    x()
      .indexSelect(index([2]), 1)
      .arraySync(),
  ).toEqual([[3], [6]]);
  expect(x().indexSelect(1, index(2)).shape).toEqual([2, 1]);
  const from = x();
  from
    .indexSelect(0, index([1, 1]))
    .sum()
    .backward();
  expect(from.grad?.arraySync()).toEqual([
    [0, 0, 0],
    [2, 2, 2],
  ]);
  expect(() => indexSelect(x(), index([[0]]), 0)).toThrow(
    "indexSelect: the index must be a vector, got [1, 1].",
  );
});

test("take counts in row-major order, from the end if negative", () => {
  expect(
    x()
      .take(
        index([
          [0, -1],
          [4, -6],
        ]),
      )
      .arraySync(),
  ).toEqual([
    [1, 6],
    [5, 1],
  ]);
  expect(take(x().t(), index([1])).arraySync()).toEqual([4]);
  expect(() => x().take(tensor([1.5]))).toThrow(DTypeError);
  expect(() =>
    x()
      .take(index([-7]))
      .dataSync(),
  ).toThrow("take: an index must be in 0 … 5, got -7.");
});

describe.each(["wasm", "js"] as const)("an index out of range, backend %s", (backend) => {
  beforeAll(() => setBackend(backend));
  afterAll(() => setBackend("wasm"));

  test("is an error with the value and the range, at once where it is at hand", () => {
    expect(() => x().gather(1, index([[3]]))).toThrow(IndexError);
    expect(() => x().gather(1, index([[3]]))).toThrow("gather: an index must be in 0 … 2, got 3.");
    expect(() => x().gather(1, index([[-1]]))).toThrow("got -1.");
    expect(() => x().scatter(0, index([[2]]), 1)).toThrow("scatter: an index must be in 0 … 1");
    expect(() => x().scatterAdd(0, index([[2]]), tensor([[1]]))).toThrow("scatterAdd: an index");
    expect(() => x().indexSelect(0, index([2]))).toThrow("indexSelect: an index must be in 0 … 1");
    expect(() => zeros([0]).gather(0, index([0]))).toThrow("there are no positions, got 0.");
  });

  test("is one when it is computed, also in gradients, and nothing is read outside", () => {
    const beyond = arange(40).add(3).reshape([2, 20]);
    const message = /^gather: an index must be in 0 … 2, got \d+\.$/;
    expect(() => x().gather(1, beyond).dataSync()).toThrow(IndexError);
    expect(() => x().gather(1, beyond).sum().itemSync()).toThrow(message);
    const from = x();
    from.gather(1, beyond).sum().backward();
    expect(() => from.grad?.dataSync()).toThrow(message);
  });

  test("leaves the engine usable, and states as they were", async () => {
    const weight = new Tensor(tensor([1, 2, 3])).requiresGrad_();
    const other = new Tensor(tensor([10, 20]));
    const step = (at: Tensor) => {
      const loss = weight.gather(0, at).sum();
      loss.backward();
      noGrad(() => {
        weight.assign(weight.sub(weight.grad as Tensor));
        other.assign(other.add(1));
      });
      return loss;
    };
    realize(step(index([0, 1]).add(0)));
    weight.grad = null;
    expect(weight.arraySync()).toEqual([0, 1, 3]);
    const failed = step(index([0, 4]).add(0));
    expect(() => realize(failed)).toThrow(IndexError);
    weight.grad = null;
    expect(weight.arraySync()).toEqual([0, 1, 3]);
    expect(other.arraySync()).toEqual([11, 21]);
    realize(step(index([2, 2]).add(0)));
    expect(await weight.array()).toEqual([0, 1, 1]);
    expect(other.arraySync()).toEqual([12, 22]);
  });

  test("reading asynchronously rejects", async () => {
    await expect(
      x()
        .gather(1, index([[1]]).add(5))
        .data(),
    ).rejects.toThrow(IndexError);
  });
});
