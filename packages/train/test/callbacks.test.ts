import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DataLoader, TensorDataset } from "@gradloom/data";
import { ExponentialMovingAverage, OneCycleLR } from "@gradloom/optim";
import { manualSeed } from "@gradloom/tensor";
import { afterAll, describe, expect, test, vi } from "vitest";
import {
  Accuracy,
  type Callback,
  Checkpoints,
  EarlyStopping,
  type EpochRecord,
  History,
  ProgressBar,
  TensorBoard,
  Trainer,
} from "../src/index.ts";
import { readEvents } from "./event-file.ts";
import { smallTraining, weightsOf } from "./small-training.ts";

const root = mkdtempSync(join(tmpdir(), "gradloom-train-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = () => join(root, String(++folders));

/** Aborts after a step. */
function abortAt(step: number): { signal: AbortSignal; callback: Callback } {
  const controller = new AbortController();
  const onStep: Callback["onStep"] = (event) => {
    if (event.step === step) controller.abort();
  };
  return { signal: controller.signal, callback: { onStep } };
}

/** Without the times, which differ. */
const timeless = ({ seconds: _, dataSeconds: __, ...record }: EpochRecord) => record;

const linesOf = (path: string) =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => timeless(JSON.parse(line) as EpochRecord));

describe("a training that goes on from a checkpoint", () => {
  /** All that a training has: dropout, shuffling, accumulation, a schedule, averages, metrics, callbacks. */
  const train = async (folder: string, stopAfter: number | undefined, isList = false) => {
    const { x, y, loader, model, optimizer, loss } = smallTraining();
    const schedule = new OneCycleLR(optimizer, 0.05, { totalSteps: 12 });
    const average = new ExponentialMovingAverage(model.parameters(), { decay: 0.8 });
    const { signal, callback } = abortAt(stopAfter ?? -1);
    const trainer = new Trainer({
      model,
      loss,
      optimizer,
      schedule,
      average,
      accumulate: 2,
      clipGradNorm: 1,
      metrics: [new Accuracy()],
      callbacks: [
        new Checkpoints(folder),
        new EarlyStopping({ patience: 2 }),
        new History(join(folder, "history.jsonl")),
        callback,
      ],
    });
    const list = Array.from({ length: 6 }, (_, i) => {
      const part = (t: typeof x) => t.slice(0, i * 10, i * 10 + 10);
      return [part(x), part(y)] as const;
    });
    const result = await trainer.fit(isList ? list : loader, {
      epochs: 4,
      // It draws a seed of its own, which a training that goes on must not draw again.
      validation: new DataLoader(new TensorDataset(x, y), { batchSize: 25 }),
      signal,
      resume: join(folder, "last.ckpt"),
    });
    return { ...result, weights: weightsOf(model), averages: average.shadowParams };
  };

  test.each([
    ["a loader", false],
    ["a list", true],
  ])("ends with the same bits and records, wherever it was stopped: %s", async (_, isList) => {
    const folder = newFolder();
    const whole = await train(folder, undefined, isList);
    expect(whole).toMatchObject({ status: "finished", step: 12, epoch: 4 });
    for (const stopAfter of [1, 3, 5, 11]) {
      const other = newFolder();
      const first = await train(other, stopAfter, isList);
      expect(first).toMatchObject({ status: "aborted", step: stopAfter });
      const second = await train(other, undefined, isList);
      expect(second.weights).toEqual(whole.weights);
      expect(second.averages.map((a) => a.arraySync())).toEqual(
        whole.averages.map((a) => a.arraySync()),
      );
      expect(second.history.map(timeless)).toEqual(whole.history.map(timeless));
      expect(linesOf(join(other, "history.jsonl"))).toEqual(linesOf(join(folder, "history.jsonl")));
    }
  });

  test("is done if the checkpoint is of its end", async () => {
    const folder = newFolder();
    const first = await train(folder, undefined);
    const again = await train(folder, undefined);
    expect(again).toMatchObject({ status: "finished", step: 12, epoch: 4 });
    expect(again.weights).toEqual(first.weights);
  });

  test("validates once more what was aborted in its validation", async () => {
    const run = async (folder: string, abort: boolean) => {
      const { x, y, loader, model, optimizer, loss } = smallTraining();
      const controller = new AbortController();
      const validation = {
        *[Symbol.iterator]() {
          if (abort) controller.abort();
          yield [x, y] as const;
        },
      };
      const callbacks = [new Checkpoints(folder)];
      const trainer = new Trainer({ model, loss, optimizer, callbacks, metrics: [new Accuracy()] });
      const { signal } = controller;
      const resume = join(folder, "last.ckpt");
      return trainer.fit(loader, { epochs: 2, validation, signal, resume });
    };
    const folder = newFolder();
    expect(await run(folder, true)).toMatchObject({ status: "aborted", step: 6, epoch: 0 });
    const { history } = await run(folder, false);
    expect(history.map(timeless)).toEqual((await run(newFolder(), false)).history.map(timeless));
  });

  test("refuses a checkpoint that is damaged, and metrics that it has not in the middle of an epoch", async () => {
    const folder = newFolder();
    await train(folder, 2);
    const resume = join(folder, "last.ckpt");
    const { loader, model, optimizer, loss } = smallTraining();
    const metrics = { top2: new Accuracy({ topK: 2 }) };
    await expect(
      new Trainer({ model, loss, optimizer, metrics }).fit(loader, { epochs: 4, resume }),
    ).rejects.toThrow(
      "fit: in the middle of an epoch the metrics must be those of the checkpoint, got top2; it has accuracy.",
    );
    writeFileSync(resume, readFileSync(resume).subarray(0, 500));
    await expect(
      new Trainer({ model, loss, optimizer }).fit(loader, { epochs: 4, resume }),
    ).rejects.toThrow("loadCheckpoint");
  });
});

describe("Checkpoints", () => {
  test("keeps the best epoch beside the last", async () => {
    const folder = newFolder();
    const { x, y, loader, model, optimizer, loss } = smallTraining();
    const saved: [string, number][] = [];
    const callback: Callback = {
      onStart: (run) => {
        const save = run.save.bind(run);
        vi.spyOn(run, "save").mockImplementation((path) => {
          saved.push([path.slice(folder.length + 1), run.step]);
          return save(path);
        });
      },
      // Worse from here on.
      onEpochEnd: ({ epoch }) => {
        if (epoch === 2) optimizer.lr = 5;
      },
    };
    const callbacks = [new Checkpoints(folder, { everySteps: 4 }), callback];
    await new Trainer({ model, loss, optimizer, callbacks }).fit(loader, {
      epochs: 3,
      validation: [[x, y]],
    });
    expect(saved).toEqual([
      ["last.ckpt", 4],
      ["best.ckpt", 6],
      ["last.ckpt", 6],
      ["last.ckpt", 8],
      ["last.ckpt", 12],
      ["best.ckpt", 12],
      ["last.ckpt", 12],
      ["last.ckpt", 16],
      ["last.ckpt", 18],
    ]);
    expect(readdirSync(folder).sort()).toEqual(["best.ckpt", "last.ckpt"]);
    expect(() => new Checkpoints(folder, { everySteps: 0 })).toThrow(
      "Checkpoints: everySteps must be a positive integer, got 0.",
    );
  });

  test("writes nothing that is not finite", async () => {
    const folder = newFolder();
    const { x, y, model, optimizer, loss } = smallTraining();
    const callbacks = [new Checkpoints(folder, { everySteps: 1 })];
    const trainer = new Trainer({ model, loss, optimizer, callbacks });
    const bad = [[x.mul(Number.NaN), y]] as const;
    await expect(trainer.fit(bad, { epochs: 1 })).rejects.toThrow("got NaN in step 1");
    expect(existsSync(join(folder, "last.ckpt"))).toBe(false);
  });
});

describe("EarlyStopping", () => {
  test("stops when nothing becomes better, and says why", async () => {
    const { x, y, loader, model, optimizer, loss } = smallTraining();
    optimizer.lr = 1e-12;
    const callbacks = [new EarlyStopping({ patience: 1, minDelta: 0.01, monitor: "accuracy" })];
    const trainer = new Trainer({ model, loss, optimizer, callbacks, metrics: [new Accuracy()] });
    const result = await trainer.fit(loader, { epochs: 9, validation: [[x, y]] });
    expect(result).toMatchObject({ status: "stopped", epoch: 3 });
    const { accuracy } = result.history[0].validation!;
    expect(result.reason).toBe(`accuracy has not become better than ${accuracy} for 2 epochs`);
  });

  test("refuses options out of their range", () => {
    expect(() => new EarlyStopping({ patience: -1 })).toThrow(
      "EarlyStopping: patience must be 0 or greater, got -1.",
    );
  });
});

describe("History", () => {
  test("drops what a checkpoint does not know, half a line included", async () => {
    const folder = newFolder();
    const path = join(folder, "history.jsonl");
    const run = (epochs: number) => {
      const { loader, model, optimizer, loss } = smallTraining();
      const callbacks = [new History(path), new Checkpoints(folder)];
      const trainer = new Trainer({ model, loss, optimizer, callbacks });
      return trainer.fit(loader, { epochs, resume: join(folder, "last.ckpt") });
    };
    await run(2);
    writeFileSync(path, `${readFileSync(path, "utf8")}{"epoch":3,"st`);
    const { history } = await run(4);
    expect(linesOf(path)).toEqual(history.map(timeless));
    expect(history.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4]);
  });
});

describe("TensorBoard", () => {
  test("writes what its protocol buffers give back", async () => {
    const folder = newFolder();
    const { x, y, loader, model, optimizer, loss } = smallTraining();
    const callbacks = [new TensorBoard(folder, { everySteps: 5 })];
    const trainer = new Trainer({
      model,
      loss,
      optimizer,
      callbacks,
      metrics: [new Accuracy()],
      clipGradNorm: 1,
    });
    const before = Date.now() / 1000;
    const { history } = await trainer.fit(loader, { epochs: 2, validation: [[x, y]] });
    const [name] = readdirSync(folder);
    expect(name).toMatch(/^events\.out\.tfevents\.\d+\./);
    const events = readEvents(join(folder, name));
    expect(events[0]).toMatchObject({ fileVersion: "brain.Event:2" });
    expect(events[1]).toMatchObject({ step: "1", sessionLog: { status: "START" } });
    expect(events.every(({ wallTime }) => wallTime >= before - 1)).toBe(true);
    const scalars = events
      .slice(2)
      .flatMap(({ step, summary }) =>
        summary!.value.map(({ tag, simpleValue }) => [Number(step), tag, simpleValue] as const),
      );
    const of = (tag: string) => scalars.flatMap(([step, t, v]) => (t === tag ? [[step, v]] : []));
    const rounded = (value: unknown) => Math.fround(value as number);
    expect(of("loss/validation")).toEqual(
      history.map(({ step, validation }) => [step, rounded(validation?.loss)]),
    );
    expect(of("accuracy/train")).toEqual(
      history.map(({ step, train }) => [step, rounded(train.accuracy)]),
    );
    expect(of("lr")).toEqual([5, 10].map((step) => [step, Math.fround(0.02)]));
    expect(of("loss/step").map(([step]) => step)).toEqual([5, 10]);
    expect(of("gradNorm")).toHaveLength(2);
    expect(() => new TensorBoard(folder, { everySteps: 1.5 })).toThrow("TensorBoard: everySteps");
  });
});

describe("ProgressBar", () => {
  const esc = String.fromCharCode(27);
  const written = async (isTTY: boolean, msPerStep: number, aborts = false, columns = 100) => {
    const { x, y, loader, model, optimizer, loss } = smallTraining();
    manualSeed(1);
    let time = 0;
    let text = "";
    const stream = {
      isTTY,
      columns,
      write: (piece: string) => {
        text += piece;
      },
    };
    const bar = new ProgressBar({ stream, now: () => time });
    const { signal, callback } = abortAt(aborts ? 8 : -1);
    const clock: Callback = {
      onStep: () => {
        time += msPerStep;
      },
    };
    const callbacks = [clock, bar, callback];
    const trainer = new Trainer({ model, loss, optimizer, callbacks, metrics: [new Accuracy()] });
    await trainer.fit(loader, { epochs: 2, validation: [[x, y]], signal });
    return text;
  };

  test("draws a bar in a terminal, never wider than it is", async () => {
    const text = await written(true, 500);
    const lines = text.split(/\r|\n/).map((line) => line.replace(`${esc}[K`, ""));
    expect(lines[3]).toMatch(
      /^epoch 1\/2 {2}█{10}░{10} {2}3\/6 {2}loss \d\.\d+ {2}2 steps\/s {2}4\.5 s left$/,
    );
    expect(lines.at(-2)).toMatch(
      /^epoch 2\/2 {2}loss \S+ accuracy \S+ {2}validation: loss \S+ accuracy \S+ {2}\(\S+ s\)$/,
    );
    const drawn = (await written(true, 500, false, 40)).split(/\r|\n/);
    const bars = drawn.filter((line) => line.includes("█"));
    expect(bars.map((line) => line.replace(`${esc}[K`, "").length)).toEqual(new Array(12).fill(39));
  });

  test("writes plain lines elsewhere: one an epoch, and one now and then", async () => {
    const quick = await written(false, 1);
    for (const sign of ["\r", esc, "█"]) expect(quick).not.toContain(sign);
    expect(quick.split("\n")).toHaveLength(3);
    const slow = await written(false, 4000);
    expect(slow).toContain("epoch 1/2  3/6  loss ");
    expect(slow.split("\n")).toHaveLength(7);
  });

  test("says that the training was aborted", async () => {
    expect(await written(false, 1, true)).toMatch(
      /\naborted: the signal was aborted after step 8\n$/,
    );
  });
});
