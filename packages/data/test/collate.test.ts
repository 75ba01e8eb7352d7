import { ones, tensor } from "@gradloom/tensor";
import { describe, expect, test } from "vitest";
import { defaultCollate, scalar } from "../src/index.ts";

describe("defaultCollate", () => {
  test("stacks tensors, arrays and numbers, each with its element type", async () => {
    const tensors = await defaultCollate([tensor([1, 2]), tensor([3, 4])]);
    expect([tensors.dtype, await tensors.array()]).toEqual([
      "float32",
      [
        [1, 2],
        [3, 4],
      ],
    ]);
    const flags = await defaultCollate([tensor([true]), tensor([false])]);
    expect([flags.dtype, await flags.array()]).toEqual(["bool", [[1], [0]]]);
    const arrays = await defaultCollate([Int32Array.of(1), Int32Array.of(2)]);
    expect([arrays.dtype, arrays.shape]).toEqual(["int32", [2, 1]]);
    expect((await defaultCollate([1, 2])).dtype).toBe("float32");
    expect((await defaultCollate([true, false])).dtype).toBe("bool");
    const classes = await defaultCollate([scalar(3), scalar(4)]);
    expect([classes.dtype, await classes.array()]).toEqual(["int32", [3, 4]]);
    const picture = { data: Float32Array.of(1, 2), shape: [1, 2] };
    expect((await defaultCollate([picture, picture, picture])).shape).toEqual([3, 1, 2]);
  });

  test("keeps tuples, objects and texts, however deep", async () => {
    const item = (n: number): { x: [number, string] } => ({ x: [n, `${n}`] });
    const { x } = await defaultCollate([item(1), item(2)]);
    expect([await x[0].array(), x[1]]).toEqual([
      [1, 2],
      ["1", "2"],
    ]);
  });

  test.each([
    [[ones([2]), ones([3])], /^collate: items must have equal shapes, got \[2\] and \[3\]\. Crop/],
    [[[1], [1, 2]], "collate: items must be equally long, got 1 and 2 entries."],
    [[1, "a"], "collate: items must be of one kind, got number and string."],
    [
      [{ a: [null] }],
      /^collate: items at \.a\[0\] must be tensors, .*, got null\. Give the loader/,
    ],
    [[{ a: 1 }, { b: 1 }], "collate: items must have the same keys, got a and b."],
    [[], "collate: items must be there, got none."],
  ])("refuses what does not fit: %#", async (items: readonly unknown[], message) => {
    await expect(defaultCollate(items)).rejects.toThrow(message);
  });
});
