import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ArgumentError, tensor } from "@gradloom/tensor";
import { afterAll, describe, expect, test } from "vitest";
import {
  CheckpointError,
  decodeNpy,
  decodeNpz,
  encodeNpz,
  loadNpy,
  loadNpz,
  saveNpz,
} from "../src/index.ts";
import { described, fixture, fixtureBytes } from "./fixtures.ts";

const folder = mkdtempSync(join(tmpdir(), "gradloom-npz-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("what NumPy has saved", () => {
  test.each(["stored.npz", "deflated.npz"])("%s", async (name) => {
    const { zeros, ...arrays } = await loadNpz(fixture(name));
    expect(described(arrays)).toEqual({
      f8: { dtype: "float64", shape: [2], data: [0.1, 2] },
      f4: { dtype: "float32", shape: [2, 2], data: [1, 2.5, -3, Number.POSITIVE_INFINITY] },
      f2: { dtype: "float32", shape: [2], data: [0.5, -2] },
      i8: { dtype: "int32", shape: [1, 2], data: [1, -2] },
      i4: { dtype: "int32", shape: [1], data: [3] },
      i2: { dtype: "int32", shape: [1], data: [-300] },
      i1: { dtype: "int32", shape: [1], data: [-1] },
      u2: { dtype: "int32", shape: [1], data: [65535] },
      u1: { dtype: "uint8", shape: [1], data: [255] },
      b1: { dtype: "bool", shape: [2], data: [1, 0] },
      scalar: { dtype: "float64", shape: [], data: [2.5] },
      empty: { dtype: "float64", shape: [0, 3], data: [] },
      fortran: { dtype: "float64", shape: [2, 3], data: [0, 1, 2, 3, 4, 5] },
    });
    expect([zeros.shape, zeros.sum().itemSync()]).toEqual([[1000], 0]);
    expect(Object.keys(await decodeNpz(fixtureBytes(name)))).toContain("fortran");
  });

  test("array.npy", async () => {
    const loaded = await loadNpy(fixture("array.npy"));
    expect(loaded.arraySync()).toEqual([
      [1, 2.5],
      [-3, Number.POSITIVE_INFINITY],
    ]);
  });
});

describe("what is written", () => {
  const arrays = () => ({
    x: tensor([
      [1, 2],
      [3, 4],
    ]),
    flags: tensor([true]),
    "a/b": tensor(3, { dtype: "int32" }),
    none: tensor([], { dtype: "float64" }),
  });

  test("is read", async () => {
    const path = join(folder, "all.npz");
    await saveNpz(path, arrays());
    expect(described(await loadNpz(path))).toEqual(described(arrays()));
    expect(described(await decodeNpz(await encodeNpz(arrays())))).toEqual(described(arrays()));
  });

  test("is a zip archive to others, too, with the checksums of what it holds", async ({ skip }) => {
    const path = join(folder, "others.npz");
    await saveNpz(path, arrays());
    let names: string;
    try {
      names = execFileSync("python3", ["-m", "zipfile", "-l", path], { encoding: "utf8" });
      execFileSync("python3", [
        "-c",
        "import sys, zipfile; sys.exit(zipfile.ZipFile(sys.argv[1]).testzip() is not None)",
        path,
      ]);
    } catch {
      return skip("there is no Python here");
    }
    expect(names).toMatch(/x\.npy[\s\S]*flags\.npy[\s\S]*a\/b\.npy[\s\S]*none\.npy/);
  });

  test("is tensors", async () => {
    await expect(encodeNpz({ x: [1] as never })).rejects.toThrow(ArgumentError);
  });
});

test.each([
  ["objects.npy", 'got "|O"'],
  ["big-endian.npy", 'got ">f4"'],
  ["complex.npy", 'got "<c8"'],
  ["kinds.pt", "must be an npy file of version 1, 2 or 3"],
])("%s is refused", async (name, message) => {
  await expect(loadNpy(fixture(name))).rejects.toThrow(CheckpointError);
  await expect(loadNpy(fixture(name))).rejects.toThrow(message);
});

test("damaged files", async () => {
  const npy = fixtureBytes("array.npy");
  await expect(decodeNpy(npy.subarray(0, -1))).rejects.toThrow(
    "must have 16 bytes of data for its shape, got 15",
  );
  await expect(decodeNpy(npy.subarray(0, 60))).rejects.toThrow("got the end of the file");
  const npz = fixtureBytes("stored.npz");
  await expect(decodeNpz(npz.subarray(0, -30))).rejects.toThrow(
    "must be a zip archive, got no end record",
  );
  const changed = npz.slice();
  changed[190] ^= 1;
  await expect(decodeNpz(changed)).rejects.toThrow(/checksum of "f8.npy" must be/);
  await expect(decodeNpz(fixtureBytes("kinds.pt"))).rejects.toThrow("must hold npy files only");
});
