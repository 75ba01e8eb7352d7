import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import fs from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  ArgumentError,
  Generator,
  manualSeed,
  memoryStats,
  noGrad,
  rand,
  realize,
  StateError,
  Tensor,
  tensor,
} from "@gradloom/tensor";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { CheckpointError, loadCheckpoint, loadSafetensors, saveCheckpoint } from "../src/index.ts";
import { described } from "./fixtures.ts";

const root = mkdtempSync(join(tmpdir(), "gradloom-checkpoint-"));
let folder: string;
let count = 0;
beforeEach(() => {
  folder = join(root, String(count++));
  mkdirSync(folder);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** A parameter and a counter, as a module or an optimizer has them. */
class Part {
  readonly w: Tensor;
  steps = 0;

  constructor(...values: number[]) {
    this.w = tensor(values);
  }

  stateDict(): { w: Tensor; steps: number } {
    return { w: this.w, steps: this.steps };
  }

  loadStateDict({ w, steps }: { w: Tensor; steps: number }): void {
    noGrad(() => this.w.assign(w));
    this.steps = steps;
  }
}

describe("a checkpoint", () => {
  test("brings everything back: states, generators, random numbers and plain values", async () => {
    const path = join(folder, "last.ckpt");
    const model = new Part(1, 2);
    model.steps = 7;
    const own = new Generator(5);
    rand([2], { generator: own });
    manualSeed(3);
    rand([4]);
    await saveCheckpoint(path, { model, own, step: 12, note: "x" });
    const expected = [rand([2]), rand([2], { generator: own })].map((x) => x.arraySync());

    const other = new Part(0, 0);
    const later = new Generator(9);
    manualSeed(99);
    const kept = await loadCheckpoint<{ step: number; note: string }>(path, {
      model: other,
      own: later,
    });
    expect([other.w.arraySync(), other.steps, kept.step, kept.note]).toEqual([[1, 2], 7, 12, "x"]);
    const found = [rand([2]), rand([2], { generator: later })].map((x) => x.arraySync());
    expect(found).toEqual(expected);
  });

  test("keeps every kind of plain value exactly", async () => {
    const path = join(folder, "plain.ckpt");
    const shared = tensor([[1, 2]], { dtype: "float64" });
    const values = {
      numbers: [0.1, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2 ** 53],
      nested: { "0": { exp_avg: tensor([1]), step: 3 }, list: [null, true, "grüße", [tensor(1)]] },
      dotted: { "a.b": shared, a: { b: tensor([true]) } },
      again: shared,
      keys: { $tensor: "x", $number: 1, $: {}, $$: 2, ["__proto__"]: 3 },
      __metadata__: tensor([4]),
      nothing: undefined,
    };
    await saveCheckpoint(path, values);
    const { random, ...kept } = await loadCheckpoint(path);
    const { nothing, ...rest } = values;
    expect(nothing).toBeUndefined();
    expect(described(kept)).toEqual(described(rest));
    expect(random).toMatchObject({ draws: expect.any(Number) });
    // Its tensors can be read as those of any safetensors file.
    expect(Object.keys(await loadSafetensors(path))).toEqual([
      "nested.0.exp_avg",
      "nested.list.3.0",
      "dotted.a.b",
      "dotted.a.b'",
      "__metadata__'",
    ]);
  });

  test("takes no second copy of states, in one part or several", async () => {
    const path = join(folder, "large.ckpt");
    class Large {
      readonly w: Tensor = new Tensor(
        tensor(Float32Array.from({ length: 2 ** 21 + 5 }, (_, i) => i)),
      );

      stateDict(): { w: Tensor } {
        return { w: this.w.detach().clone() };
      }

      loadStateDict({ w }: { w: Tensor }): void {
        noGrad(() => this.w.assign(w));
      }
    }
    const model = new Large();
    model.w.assign(model.w.add(1));
    realize(model.w);
    const { residentBytes } = memoryStats();
    await saveCheckpoint(path, { model });
    realize(model.w.sum());
    expect(memoryStats().residentBytes).toBe(residentBytes);
    const loaded = new Large();
    await loadCheckpoint(path, { model: loaded });
    expect(loaded.w.sub(model.w).abs().max().itemSync()).toBe(0);
    expect(await loaded.w.data({ start: 2 ** 21 - 1 })).toEqual(
      await model.w.data({ start: 2 ** 21 - 1 }),
    );
  });

  test("refuses to mix what is before a step and after it; the old file stays", async () => {
    const path = join(folder, "mixed.ckpt");
    const model = new Part(0, 0);
    model.w.assign(tensor([1, 2]));
    realize(model.w);
    await saveCheckpoint(path, { model });
    const saving = saveCheckpoint(path, { model });
    noGrad(() => model.w.assign(tensor([5, 6])));
    realize(model.w);
    await expect(saving).rejects.toThrow(StateError);
    const loaded = new Part(0, 0);
    await loadCheckpoint(path, { model: loaded });
    expect(loaded.w.arraySync()).toEqual([1, 2]);
    expect(readdirSync(folder)).toEqual(["mixed.ckpt"]);
  });

  test("refuses what cannot be kept, by its place", async () => {
    const path = join(folder, "no.ckpt");
    const save = (contents: object) => saveCheckpoint(path, contents as Record<string, number>);
    await expect(save({ a: { b: [new Map()] } })).rejects.toThrow("got a Map as a.b.0");
    await expect(save({ a: () => 1 })).rejects.toThrow("got function as a");
    await expect(save({ random: 1 })).rejects.toThrow(ArgumentError);
    const circle: Record<string, unknown> = {};
    circle.circle = circle;
    await expect(save({ circle })).rejects.toThrow("got too deep a nesting as circle.circle");
    expect(readdirSync(folder)).toEqual([]);
  });

  test("says which states are missing before anything changes", async () => {
    const path = join(folder, "some.ckpt");
    const model = new Part(1);
    await saveCheckpoint(path, { model });
    const other = new Part(5);
    manualSeed(1);
    const before = rand([1]).itemSync();
    manualSeed(1);
    const load = loadCheckpoint(path, {
      model: other,
      optimizer: new Part(2),
      schedule: undefined,
    });
    await expect(load).rejects.toThrow(StateError);
    await expect(loadCheckpoint(path, { optimizer: new Part(2) })).rejects.toThrow(
      "loadCheckpoint: the file must hold a state for each target, got none for optimizer; it has model, random.",
    );
    expect([other.w.itemSync(), rand([1]).itemSync()]).toEqual([5, before]);
  });

  test("notices every changed byte", async () => {
    const path = join(folder, "small.ckpt");
    await saveCheckpoint(path, { model: new Part(1, 2), step: 3 });
    const bytes = readFileSync(path);
    const damaged = join(folder, "damaged.ckpt");
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed[i] ^= 1 << (i % 8);
      writeFileSync(damaged, changed);
      await expect(loadCheckpoint(damaged), `byte ${i}`).rejects.toThrow(CheckpointError);
    }
    for (let length = 0; length < bytes.length; length += 7) {
      writeFileSync(damaged, bytes.subarray(0, length));
      await expect(loadCheckpoint(damaged), `${length} bytes`).rejects.toThrow(CheckpointError);
    }
  });

  test("is no other safetensors file", async () => {
    const { saveSafetensors } = await import("../src/index.ts");
    const path = join(folder, "other.safetensors");
    await saveSafetensors(path, { x: tensor([1]) });
    await expect(loadCheckpoint(path)).rejects.toThrow("Use loadSafetensors");
  });
});

describe("writing", () => {
  const old = { step: 1 };
  const save = (path: string) => saveCheckpoint(path, { model: new Part(1, 2, 3), step: 2 });

  /** Lets calls of an open file fail. */
  function failing(method: "write" | "sync" | "close", code: string, after = 0): void {
    const { open } = fs;
    vi.spyOn(fs, "open").mockImplementation(async (path, flags, mode) => {
      const handle = await open(path, flags, mode);
      let calls = 0;
      if (flags === "r") return handle;
      const original = handle[method].bind(handle) as (...args: unknown[]) => Promise<unknown>;
      const fail = async (...args: unknown[]) => {
        if (calls++ < after) return original(...args);
        if (method === "close") await original();
        throw Object.assign(new Error(`${code}: it failed, ${method}`), { code });
      };
      Object.defineProperty(handle, method, { value: fail });
      return handle;
    });
  }

  test.each([
    ["write", "ENOSPC", 0, "must fit on the disk, got ENOSPC"],
    ["write", "ENOSPC", 1, "must fit on the disk, got ENOSPC"],
    ["write", "ENOSPC", 2, "must fit on the disk, got ENOSPC"],
    ["write", "EDQUOT", 1, "must fit into the quota, got EDQUOT"],
    ["sync", "EIO", 0, "must be accessible, got EIO"],
    ["close", "EIO", 0, "must be accessible, got EIO"],
  ] as const)(
    "a failing %s (%s after %i) leaves the old file, and no other",
    async (method, code, after, message) => {
      const path = join(folder, "last.ckpt");
      await saveCheckpoint(path, old);
      failing(method, code, after);
      const error = await save(path).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(CheckpointError);
      expect((error as CheckpointError).message).toContain(message);
      expect((error as CheckpointError).message).toContain(
        "If there was one before, it is unchanged.",
      );
      expect((error as CheckpointError).path).toBe(path);
      vi.restoreAllMocks();
      expect(await loadCheckpoint(path)).toMatchObject(old);
      expect(readdirSync(folder)).toEqual(["last.ckpt"]);
    },
  );

  test.each(["EROFS", "EACCES"])("a folder that cannot be written to (%s)", async (code) => {
    const path = join(folder, "last.ckpt");
    await saveCheckpoint(path, old);
    vi.spyOn(fs, "open").mockRejectedValueOnce(Object.assign(new Error(`${code}: no`), { code }));
    await expect(save(path)).rejects.toThrow(new RegExp(`the file .* must be .*, got ${code}`));
    expect(await loadCheckpoint(path)).toMatchObject(old);
  });

  test("a folder that is not there, and a path that is a folder", async () => {
    await expect(save(join(folder, "no", "last.ckpt"))).rejects.toThrow(
      "must exist, and its folder, got ENOENT",
    );
    mkdirSync(join(folder, "sub"));
    await expect(save(join(folder, "sub"))).rejects.toThrow(CheckpointError);
    expect(readdirSync(folder)).toEqual(["sub"]);
  });

  test("syncs the file before it is renamed, and the folder after", async () => {
    const path = join(folder, "last.ckpt");
    const { open, rename } = fs;
    const calls: string[] = [];
    vi.spyOn(fs, "open").mockImplementation(async (name, flags, mode) => {
      const handle = await open(name, flags, mode);
      const what = String(name) === folder ? "folder" : "file";
      const sync = handle.sync.bind(handle);
      const write = handle.write.bind(handle) as (...args: unknown[]) => Promise<unknown>;
      Object.defineProperty(handle, "sync", {
        value: () => {
          calls.push(`sync ${what}`);
          return sync();
        },
      });
      Object.defineProperty(handle, "write", {
        value: (...args: unknown[]) => {
          if (calls.at(-1) !== "write") calls.push("write");
          return write(...args);
        },
      });
      return handle;
    });
    vi.spyOn(fs, "rename").mockImplementation(async (from, to) => {
      calls.push("rename");
      expect(existsSync(path)).toBe(false);
      await rename(from, to);
    });
    await save(path);
    expect(calls).toEqual(["write", "sync file", "rename", "sync folder"]);
  });

  test("removes what a process that was killed has left, but not what is being written", async () => {
    const path = join(folder, "last.ckpt");
    const dead = join(folder, ".last.ckpt.999999999-1.tmp");
    const alive = join(folder, `.last.ckpt.${process.ppid}-1.tmp`);
    const other = join(folder, ".other.ckpt.999999999-1.tmp");
    for (const name of [dead, alive, other]) writeFileSync(name, "");
    await save(path);
    expect([dead, alive, other].map((name) => existsSync(name))).toEqual([false, true, true]);
  });

  test("a link stays a link", async () => {
    const path = join(folder, "link.ckpt");
    await saveCheckpoint(join(folder, "real.ckpt"), old);
    symlinkSync(join(folder, "real.ckpt"), path);
    await save(path);
    expect(await loadCheckpoint(join(folder, "real.ckpt"))).toMatchObject({ step: 2 });
  });

  test("several at once do not disturb each other", async () => {
    const path = join(folder, "busy.ckpt");
    await Promise.all(Array.from({ length: 8 }, (_, step) => saveCheckpoint(path, { step })));
    const { step } = await loadCheckpoint<{ step: number }>(path);
    expect(step).toBeGreaterThanOrEqual(0);
    expect(readdirSync(folder)).toEqual(["busy.ckpt"]);
  });
});
