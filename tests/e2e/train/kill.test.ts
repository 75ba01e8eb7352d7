import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadCheckpoint } from "@gradloom/checkpoint";
import { afterAll, expect, test } from "vitest";
import { temporaryFolder } from "../../packaging/packages.ts";

const folder = temporaryFolder("kill-trainer");
afterAll(folder.remove);

const epochs = 100;
const stepsPerEpoch = 4;
const kills = 50;

/** Starts the training; it says when it has taken its first step and written a checkpoint. */
function start(run: string) {
  const script = join(import.meta.dirname, "training.mjs");
  const result = join(folder.path, `${run}.safetensors`);
  const child = spawn(process.execPath, [script, join(folder.path, run), String(epochs), result], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { child, started: once(child.stdout, "data"), ended: once(child, "exit") };
}

const result = (run: string) => readFileSync(join(folder.path, `${run}.safetensors`));

/** What the records say, without the times. */
const history = (run: string) =>
  readFileSync(join(folder.path, run, "history.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => {
      const {
        seconds: _,
        dataSeconds: __,
        ...record
      } = JSON.parse(line) as Record<string, unknown>;
      return record;
    });

test(`a Trainer that is killed ${kills} times ends with the same bits and records`, {
  timeout: 300_000,
}, async () => {
  expect((await start("whole").ended)[0]).toBe(0);

  const checkpoint = join(folder.path, "killed", "last.ckpt");
  let state = 1;
  const reached: number[] = [];
  for (let i = 0; i < kills; i++) {
    const { child, started, ended } = start("killed");
    await started;
    // A small generator of its own: other moments in each run of the loop, the same in each run of the test.
    state = (state * 48271) % 2147483647;
    await new Promise((resolve) => setTimeout(resolve, state % 25));
    child.kill("SIGKILL");
    expect((await ended)[1], "how it ended").toBe("SIGKILL");
    // Whatever was going on, what is there can be read.
    if (!existsSync(checkpoint)) continue;
    const { training } = await loadCheckpoint<{ training: { step: number } }>(checkpoint);
    reached.push(training.step);
  }
  expect(reached.every((step, i) => i === 0 || step >= reached[i - 1])).toBe(true);
  expect(reached.at(-1)).toBeGreaterThanOrEqual(kills / 2);
  expect(reached.at(-1)).toBeLessThan(epochs * stepsPerEpoch);

  expect((await start("killed").ended)[0]).toBe(0);
  expect(result("killed").equals(result("whole"))).toBe(true);
  expect(history("killed")).toEqual(history("whole"));
  expect(history("whole")).toHaveLength(epochs);
  console.log(`killed at steps ${reached.join(", ")} of ${epochs * stepsPerEpoch}`);
});
