import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MLP } from "@gradloom/layers";
import { manualSeed } from "@gradloom/tensor";
import { afterAll, expect, test } from "vitest";
import { loadModel, saveModel } from "../src/model-file.ts";
import { predict } from "../src/regression.ts";

const folder = mkdtempSync(join(tmpdir(), "gradloom-model-file-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const sizes = { inFeatures: 1, hidden: [5, 3], outFeatures: 1 };
const x = Float32Array.from([-3, -0.1, 0, 1e-8, 2.5]);

test("a model that was saved and loaded predicts the same to the bit", async () => {
  manualSeed(1);
  const model = new MLP(1, [5, 3], 1);
  const path = join(folder, "model.json");
  await saveModel(path, model, sizes);
  manualSeed(2);
  const loaded = await loadModel(path);
  expect(predict(loaded, x)).toEqual(predict(model, x));
  expect(Object.keys(loaded.stateDict())).toEqual(Object.keys(model.stateDict()));
});

test("what cannot be loaded is refused with a reason", async () => {
  manualSeed(1);
  const path = join(folder, "good.json");
  await saveModel(path, new MLP(1, [5, 3], 1), sizes);
  const good = readFileSync(path, "utf8");
  const file = JSON.parse(good);
  const [key] = Object.keys(file.state);

  const bad = async (text: string) => {
    const broken = join(folder, "broken.json");
    writeFileSync(broken, text);
    return loadModel(broken);
  };
  await expect(loadModel(join(folder, "nowhere.json"))).rejects.toThrow("Cannot read the model");
  await expect(bad(good.slice(0, 100))).rejects.toThrow("it is not JSON, or it was cut off");
  for (const wrong of [
    [],
    null,
    { ...file, format: "something else" },
    { ...file, version: 2 },
    { ...file, sizes: { ...sizes, hidden: [0] } },
    { ...file, state: { ...file.state, [key]: { shape: [5, 1], data: [1, 2] } } },
    { ...file, state: { ...file.state, [key]: { shape: [5, 1], data: [1, 2, 3, 4, null] } } },
  ]) {
    await expect(bad(JSON.stringify(wrong))).rejects.toThrow("is not a model file of format");
  }
  const { [key]: _, ...rest } = file.state;
  await expect(bad(JSON.stringify({ ...file, state: rest }))).rejects.toThrow(key);
});
