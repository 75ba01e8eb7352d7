import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { loadCheckpoint } from "@gradloom/checkpoint";
import { afterAll, expect, test } from "vitest";
import { temporaryFolder } from "../../packaging/packages.ts";

const folder = temporaryFolder("kill");
afterAll(folder.remove);

const steps = 400;
const kills = 50;

/** Starts the training; it says when it has written its first checkpoint. */
function start(checkpoint: string, result: string) {
  const script = join(import.meta.dirname, "training.mjs");
  const child = spawn(process.execPath, [script, checkpoint, String(steps), result], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return { child, started: once(child.stdout, "data"), ended: once(child, "exit") };
}

test(`a training that is killed ${kills} times ends with the same bits`, {
  timeout: 300_000,
}, async () => {
  const whole = join(folder.path, "whole.safetensors");
  expect((await start("none", whole).ended)[0]).toBe(0);

  const checkpoint = join(folder.path, "last.ckpt");
  const result = join(folder.path, "killed.safetensors");
  let state = 1;
  const reached: number[] = [];
  for (let i = 0; i < kills; i++) {
    const { child, started, ended } = start(checkpoint, result);
    await started;
    // A small generator of its own: other moments in each run of the loop, the same in each run of the test.
    state = (state * 48271) % 2147483647;
    await new Promise((resolve) => setTimeout(resolve, state % 40));
    child.kill("SIGKILL");
    expect((await ended)[1], "how it ended").toBe("SIGKILL");
    // Whatever was going on, what is there can be read.
    if (existsSync(checkpoint))
      reached.push((await loadCheckpoint<{ step: number }>(checkpoint)).step);
  }
  expect(reached.every((step, i) => i === 0 || step >= reached[i - 1])).toBe(true);
  expect(reached.at(-1)).toBeGreaterThanOrEqual(kills);
  expect(reached.at(-1)).toBeLessThan(steps);

  expect((await start(checkpoint, result).ended)[0]).toBe(0);
  expect(readFileSync(result).equals(readFileSync(whole))).toBe(true);
  const names = readdirSync(folder.path).sort();
  expect(names).toEqual(["killed.safetensors", "last.ckpt", "whole.safetensors"]);
  console.log(`killed at steps ${reached.join(", ")} of ${steps}`);
});
