import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { fixtureBytes } from "./fixtures.ts";

type Checkpoint = typeof import("../src/index.ts");
let checkpoint: Checkpoint;
let tensor: typeof import("@gradloom/tensor").tensor;

// A browser has no modules of Node, so it has neither files nor a fast checksum.
beforeAll(async () => {
  const { getBuiltinModule } = process;
  vi.spyOn(process, "getBuiltinModule").mockImplementation((name: string) => {
    const isOurs = ["node:fs/promises", "node:path", "node:zlib"].includes(name);
    return isOurs ? undefined : Reflect.apply(getBuiltinModule, process, [name]);
  });
  vi.resetModules();
  checkpoint = await import("../src/index.ts");
  ({ tensor } = await import("@gradloom/tensor"));
});
afterAll(() => vi.restoreAllMocks());

test("files are refused with the way out", async () => {
  await expect(checkpoint.loadSafetensors("x")).rejects.toThrow(
    "loadSafetensors: files must be reached through Node, got another host. Use the function of the same format for bytes.",
  );
  await expect(checkpoint.saveCheckpoint("x", {})).rejects.toThrow("saveCheckpoint: files must be");
});

test("bytes are read and written, with the same checksums", async () => {
  const { x } = await checkpoint.decodeNpz(await checkpoint.encodeNpz({ x: tensor([1, 2]) }));
  expect(x.arraySync()).toEqual([1, 2]);
  expect(Object.keys(await checkpoint.decodeNpz(fixtureBytes("deflated.npz")))).toContain("f8");
  expect(Object.keys(await checkpoint.decodeTorch(fixtureBytes("tied.pt")))).toEqual(["a", "b"]);
  const bytes = await checkpoint.encodeCheckpoint({ step: 3, w: tensor([1]) });
  const kept = await checkpoint.decodeCheckpoint<{ step: number; w: typeof x }>(bytes);
  expect([kept.step, kept.w.arraySync()]).toEqual([3, [1]]);
});
