import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, expect, test } from "vitest";
import { InterruptedError, PlaygroundError } from "../src/errors.ts";
import { trainDigitsMLP } from "../src/train-digits-mlp.ts";

const root = mkdtempSync(join(tmpdir(), "gradloom-digits-mlp-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Runs the command; `onText` sees what it has printed so far. */
async function run(
  out: string,
  resume: boolean,
  onText: (text: string, abort: () => void) => void = () => {},
): Promise<string> {
  let text = "";
  const controller = new AbortController();
  const stream = new Writable({
    write(piece, _, done) {
      text += String(piece);
      onText(text, () => controller.abort());
      done();
    },
  });
  const options = { epochs: 4, lr: 0.005, batchSize: 64, hidden: 256, heldOut: 2000, seed: 0 };
  const more = { ...(resume ? { resume: true as const } : {}), out, pictures: true };
  await trainDigitsMLP({ ...options, ...more }, stream, controller.signal);
  return text;
}

test("reads at least 96 % of the digits, also if it was interrupted and went on", async () => {
  const out = join(root, "run");
  await expect(run(out, true)).rejects.toThrow(PlaygroundError);
  const stopped = run(out, false, (text, abort) => {
    if (text.includes("epoch 1/4  loss")) abort();
  });
  await expect(stopped).rejects.toThrow(InterruptedError);
  const text = await run(out, true);
  expect(text).toContain("going on from step ");
  const [, accuracy] = /^test accuracy {4}([\d.]+) %$/m.exec(text) ?? [];
  expect(Number(accuracy)).toBeGreaterThanOrEqual(96);
  expect(text).toMatch(/^waited for data {2}[\d.]+ % of it; by epoch [\d., ]+ %$/m);

  const files = readdirSync(out);
  expect(files).toEqual(
    expect.arrayContaining(["best.ckpt", "history.jsonl", "last.ckpt", "loss.png"]),
  );
  expect(files.filter((name) => name.startsWith("events.out.tfevents."))).toHaveLength(2);
  const lines = readFileSync(join(out, "history.jsonl"), "utf8").trimEnd().split("\n");
  expect(lines.map((line) => (JSON.parse(line) as { epoch: number }).epoch)).toEqual([1, 2, 3, 4]);
});
