import { DataLoader, TensorDataset } from "@gradloom/data";
import { Dropout, Linear, MLP, Module } from "@gradloom/layers";
import { CrossEntropyLoss, crossEntropyLoss, MSELoss, mseLoss } from "@gradloom/loss";
import {
  Adam,
  clipGradNorm,
  ExponentialMovingAverage,
  OneCycleLR,
  ReduceLROnPlateau,
  SGD,
  StepLR,
} from "@gradloom/optim";
import { manualSeed, memoryStats, noGrad, randn, type Tensor, tensor } from "@gradloom/tensor";
import { describe, expect, test, vi } from "vitest";
import {
  Accuracy,
  type Batch,
  type Callback,
  ConfusionMatrix,
  type EpochRecord,
  type StepEvent,
  Trainer,
} from "../src/index.ts";
import { points, smallTraining, weightsOf } from "./small-training.ts";

/** The same batches each time. */
function batchesOf(x: Tensor, y: Tensor, size: number): Batch[] {
  const count = Math.ceil(x.shape[0] / size);
  return Array.from({ length: count }, (_, i) => [
    x.slice(0, i * size, Math.min((i + 1) * size, x.shape[0])),
    y.slice(0, i * size, Math.min((i + 1) * size, x.shape[0])),
  ]);
}

function expectClose(got: readonly number[], wanted: readonly number[]): void {
  expect(got.length).toBe(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i], 5);
  });
}

describe("fit", () => {
  test("takes the steps of a loop written by hand", async () => {
    const train = async (byHand: boolean) => {
      const { loader, model, optimizer, loss } = smallTraining();
      const schedule = new StepLR(optimizer, 1, { gamma: 0.5 });
      if (byHand) {
        for (let epoch = 0; epoch < 3; epoch++) {
          for await (const [x, y] of loader) {
            optimizer.zeroGrad();
            loss.forward(model.forward(x), y).backward();
            clipGradNorm(model.parameters(), 0.5);
            optimizer.step();
          }
          schedule.step();
        }
      } else {
        const trainer = new Trainer({ model, loss, optimizer, schedule, clipGradNorm: 0.5 });
        const { status, step } = await trainer.fit(loader, { epochs: 3 });
        expect([status, step]).toEqual(["finished", 18]);
      }
      return weightsOf(model);
    };
    expect(await train(false)).toEqual(await train(true));
  });

  test("records the loss and the metrics of each epoch", async () => {
    const { x, y, loader, model, optimizer, loss } = smallTraining();
    const metrics = [new Accuracy(), new ConfusionMatrix(3)];
    const trainer = new Trainer({ model, loss, optimizer, metrics });
    const { history, epoch } = await trainer.fit(loader, { epochs: 15, validation: [[x, y]] });
    expect(epoch).toBe(15);
    expect(history.map((record) => record.epoch)).toEqual(
      Array.from({ length: 15 }, (_, i) => i + 1),
    );
    const { train, validation, lr, step, seconds, dataSeconds } = history[14];
    expect(train.loss).toBeLessThan(history[0].train.loss / 2);
    expect([lr, step]).toEqual([0.02, 90]);
    expect(seconds).toBeGreaterThan(dataSeconds);
    expect(dataSeconds).toBeGreaterThan(0);
    const prediction = noGrad(() => model.eval().forward(x));
    expect(validation?.loss).toBeCloseTo(crossEntropyLoss(prediction, y).itemSync(), 6);
    const right = prediction.argmax(1).eq(y).to("int32").sum().itemSync();
    expect(validation?.accuracy).toBe(right / 60);
    const matrix = validation?.confusionMatrix as number[][];
    expect(matrix.flat().reduce((sum, n) => sum + n)).toBe(60);
  });

  test("weighs batches by their examples in the mean of an epoch", async () => {
    const { x, y } = points();
    const model = new MLP(4, [8], 3);
    const optimizer = new SGD(model.parameters(), { lr: 0 });
    const trainer = new Trainer({ model, loss: crossEntropyLoss, optimizer });
    const { history } = await trainer.fit(batchesOf(x, y, 25), { epochs: 1 });
    expect(history[0].train.loss).toBeCloseTo(crossEntropyLoss(model.forward(x), y).itemSync(), 5);
    expect((await trainer.evaluate(batchesOf(x, y, 25))).loss).toBeCloseTo(
      history[0].train.loss,
      6,
    );
  });

  test("accumulates what equals the big batch, also where batches differ in size", async () => {
    const train = async (size: number, accumulate: number, reduction: "mean" | "sum") => {
      manualSeed(0);
      const { x, y } = points(50);
      const model = new MLP(4, [8], 3);
      const optimizer = new SGD(model.parameters(), { lr: reduction === "mean" ? 0.1 : 0.002 });
      const loss = new CrossEntropyLoss({ reduction });
      const trainer = new Trainer({ model, loss, optimizer, accumulate, clipGradNorm: 0.1 });
      const { step, history } = await trainer.fit(batchesOf(x, y, size), { epochs: 4 });
      return { step, loss: history[3].train.loss, weights: weightsOf(model) };
    };
    for (const reduction of ["mean", "sum"] as const) {
      // Steps of 48 and of 2.
      const whole = await train(48, 1, reduction);
      const parts = await train(16, 3, reduction);
      expect(parts.step).toBe(whole.step);
      expect(Math.abs(parts.loss - whole.loss)).toBeLessThan(1e-5 * Math.abs(whole.loss));
      expectClose(parts.weights, whole.weights);
      // A step of 20, 20 and 10.
      const uneven = await train(20, 3, reduction);
      const once = await train(50, 1, reduction);
      expectClose(uneven.weights, once.weights);
    }
  });

  test("accumulates exactly with a loss that leaves out targets, if it is told how many count", async () => {
    const target = tensor([0, -100, -100, -100, 1, 2], { dtype: "int32" });
    const train = async (size: number, accumulate: number) => {
      manualSeed(0);
      const x = randn([6, 4]);
      const model = new MLP(4, [8], 3);
      const trainer = new Trainer({
        model,
        loss: new CrossEntropyLoss(),
        optimizer: new SGD(model.parameters(), { lr: 0.5 }),
        accumulate,
        count: (_, y: Tensor) => y.ne(-100).to("int32").sum().itemSync(),
      });
      await trainer.fit(batchesOf(x, target, size), { epochs: 3 });
      return weightsOf(model);
    };
    const [whole, parts] = [await train(6, 1), await train(3, 2)];
    expectClose(parts, whole);
  });

  test("steps a schedule when the schedule says so, or when it is told", async () => {
    const { loader, model, optimizer, loss } = smallTraining();
    const rates: number[] = [];
    const callbacks = [{ onStep: ({ lr }: StepEvent) => void rates.push(lr) }];
    const schedule = new OneCycleLR(optimizer, 0.1, { totalSteps: 12 });
    await new Trainer({ model, loss, optimizer, schedule, callbacks }).fit(loader, { epochs: 2 });
    expect(new Set(rates).size).toBe(12);

    rates.length = 0;
    optimizer.lr = 0.1;
    const halving = new StepLR(optimizer, 1, { gamma: 0.5 });
    const options = { model, loss, optimizer, schedule: halving, callbacks };
    await new Trainer({ ...options, scheduleInterval: "step" }).fit(loader, { steps: 3 });
    expect(rates[0] / rates[2]).toBeCloseTo(4, 10);
  });

  test("shows a plateau the monitored value of the validation", async () => {
    const { x, y, loader, model, loss } = smallTraining();
    const optimizer = new SGD(model.parameters(), { lr: 0 });
    const schedule = new ReduceLROnPlateau(optimizer, { mode: "max", patience: 0 });
    const step = vi.spyOn(schedule, "step");
    const metrics = { share: new Accuracy() };
    const trainer = new Trainer({ model, loss, optimizer, schedule, metrics, monitor: "share" });
    const { history } = await trainer.fit(loader, { epochs: 2, validation: [[x, y]] });
    expect(step.mock.calls).toEqual(history.map(({ validation }) => [validation?.share]));
  });

  test("counts steps instead of epochs, and closes the last epoch as it is", async () => {
    const { loader, model, optimizer, loss } = smallTraining();
    const trainer = new Trainer({ model, loss, optimizer });
    const { history, step } = await trainer.fit(loader, { steps: 8 });
    expect(step).toBe(8);
    expect(history.map((record) => record.step)).toEqual([6, 8]);
  });

  test("makes epochs of so many steps, from data without end as well", async () => {
    const { x, y, loader, model, optimizer, loss } = smallTraining();
    const trainer = new Trainer({ model, loss, optimizer });
    const endless = {
      *[Symbol.iterator](): Generator<Batch> {
        for (;;) yield [x, y];
      },
    };
    const { history } = await trainer.fit(endless, { epochs: 2, stepsPerEpoch: 3 });
    expect(history.map(({ step }) => step)).toEqual([3, 6]);
    const longer = await trainer.fit(loader, { epochs: 2, stepsPerEpoch: 9 });
    expect(longer.step).toBe(18);
  });

  test("learns from several inputs, with a forward of its own", async () => {
    class Bilinear extends Module {
      readonly left = new Linear(2, 3);
      readonly right = new Linear(4, 3);
      forward(a: Tensor, b: Tensor): Tensor {
        return this.left.forward(a).mul(this.right.forward(b));
      }
    }
    manualSeed(0);
    const model = new Bilinear();
    const batch = [{ a: randn([5, 2]), b: randn([5, 4]) }, [randn([5, 3])]] as const;
    const trainer = new Trainer({
      model,
      forward: ({ a, b }: (typeof batch)[0]) => model.forward(a, b),
      loss: (prediction: Tensor, [target]: readonly Tensor[]) => mseLoss(prediction, target),
      optimizer: new Adam(model.parameters(), { lr: 0.05 }),
    });
    const { history } = await trainer.fit([batch], { epochs: 50 });
    expect(history[49].train.loss).toBeLessThan(history[0].train.loss / 2);
  });

  test("validates with the averages of the weights, and trains on with the weights", async () => {
    const { x, y, loader, model, optimizer, loss } = smallTraining();
    const average = new ExponentialMovingAverage(model.parameters(), { decay: 0.9 });
    const trainer = new Trainer({ model, loss, optimizer, average });
    const { history } = await trainer.fit(loader, { epochs: 3, validation: [[x, y]] });
    expect(average.numUpdates).toBe(18);
    model.eval();
    const own = loss.forward(model.forward(x), y).itemSync();
    const averaged = average.averageParameters(() => loss.forward(model.forward(x), y).itemSync());
    expect(history[2].validation?.loss).toBeCloseTo(averaged, 6);
    expect(Math.abs(own - averaged)).toBeGreaterThan(1e-3);
  });

  test("leaves modules that were frozen by eval() as they are, and puts training back", async () => {
    class Net extends Module {
      readonly linear = new Linear(4, 3);
      readonly frozen = new Dropout(0.9);
      forward(x: Tensor): Tensor {
        return this.frozen.forward(this.linear.forward(x));
      }
    }
    const { x, y } = points();
    const model = new Net();
    model.frozen.eval();
    const seen: boolean[] = [];
    const callbacks: Callback[] = [
      { onStep: () => void seen.push(model.training, model.frozen.training) },
    ];
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const trainer = new Trainer({ model, loss: new CrossEntropyLoss(), optimizer, callbacks });
    await trainer.fit([[x, y]], { epochs: 2, validation: [[x, y]] });
    expect(seen).toEqual([true, false, true, false]);
    model.eval();
    await trainer.fit([[x, y]], { epochs: 1 });
    expect(seen.slice(4)).toEqual([true, true]);
  });

  test("evaluates in the middle of an epoch without disturbing what is measured", async () => {
    const train = async (peek: boolean) => {
      const { x, y, loader, model, optimizer, loss } = smallTraining();
      const onStep = async () => {
        if (peek) await trainer.evaluate([[x, y]]);
      };
      const trainer = new Trainer({
        model,
        loss,
        optimizer,
        metrics: [new Accuracy()],
        callbacks: [{ onStep }],
      });
      const { history } = await trainer.fit(loader, { epochs: 2 });
      return history.map(({ train }) => train);
    };
    expect(await train(true)).toEqual(await train(false));
  });

  test("compiles no plan after the first epochs, and keeps nothing", async () => {
    const { x, y, loader, model, optimizer, loss } = smallTraining();
    const compiled: number[] = [];
    const callbacks = [{ onEpochEnd: () => void compiled.push(memoryStats().compiledPlans) }];
    const metrics = [new Accuracy()];
    const trainer = new Trainer({ model, loss, optimizer, metrics, callbacks });
    await trainer.fit(loader, { epochs: 6, validation: [[x, y]] });
    expect(compiled[5]).toBe(compiled[2]);
  });

  test("calls hooks in their order, and waits for them", async () => {
    const { loader, model, optimizer, loss } = smallTraining(20);
    const calls: string[] = [];
    const slowly = async (text: string) => {
      await new Promise((resolve) => setImmediate(resolve));
      calls.push(text);
    };
    const callback: Callback = {
      onStart: ({ epochs, steps, stepsPerEpoch }) =>
        slowly(`start ${epochs} ${steps} ${stepsPerEpoch}`),
      onStep: ({ epoch, step }, run) => slowly(`step ${epoch} ${step} ${run.stepInEpoch}`),
      onEpochEnd: ({ epoch }: EpochRecord, run) => slowly(`epoch ${epoch} ${run.history.length}`),
      onSave: ({ at }) => slowly(`save ${at}`),
      onEnd: ({ status, reason }) => slowly(`${status}: ${reason}`),
    };
    const options = { model, loss, optimizer, callbacks: [callback], clipGradNorm: 1 };
    await new Trainer(options).fit(loader, { epochs: 1 });
    expect(calls).toEqual([
      "start 1 2 2",
      "step 1 1 1",
      "save step",
      "step 1 2 2",
      "save step",
      "epoch 1 1",
      "save epoch",
      "save end",
      "finished: 1 epochs, 2 steps",
    ]);
  });

  test("gives other tasks their turn", async () => {
    const { x, y, model, optimizer, loss } = smallTraining();
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 60);
    const result = await new Trainer({ model, loss, optimizer }).fit([[x, y]], {
      steps: 10_000_000,
      stepsPerEpoch: 10_000_000,
      signal: controller.signal,
    });
    expect(result.status).toBe("aborted");
    expect(result.reason).toBe(`the signal was aborted after step ${result.step}`);
  });
});

describe("fit refuses", () => {
  const { x, y, model, optimizer, loss } = smallTraining();
  const trainer = new Trainer({ model, loss, optimizer });

  test("data without batches, at the first epoch or later", async () => {
    const empty = new DataLoader(new TensorDataset(x, y), { batchSize: 64, dropLast: true });
    await expect(trainer.fit(empty, { epochs: 1 })).rejects.toThrow(
      "fit: the data of epoch 1 must have one batch at least, got none. With dropLast, a batch may be larger than all data;",
    );
    const once = batchesOf(x, y, 30).values();
    await expect(trainer.fit(once, { epochs: 2 })).rejects.toThrow("fit: the data of epoch 2 must");
    await expect(trainer.evaluate([])).rejects.toThrow("evaluate: the data to evaluate must");
  });

  test("a loss that is not finite, with the step", async () => {
    const bad: Batch[] = [
      [x, y],
      [x.mul(Number.NaN), y],
    ];
    const calls: string[] = [];
    const onEnd: Callback["onEnd"] = ({ status, step }) => void calls.push(`${status} ${step}`);
    const onSave: Callback["onSave"] = ({ at }) => void calls.push(at);
    const { model, optimizer, loss } = smallTraining();
    const options = { model, optimizer, loss, callbacks: [{ onEnd, onSave }] };
    await expect(new Trainer(options).fit(bad, { epochs: 1 })).rejects.toThrow(
      "fit: the loss must be finite, got NaN in step 2. Try a smaller learning rate or clipGradNorm; setDetectAnomaly(true) finds the operation where it begins.",
    );
    expect(calls).toEqual(["step", "step", "failed 2"]);
  });

  test.each([
    [{}, "fit: either epochs or steps must be given, got neither."],
    [{ epochs: 1, steps: 2 }, "fit: either epochs or steps must be given, got both."],
    [{ epochs: 0 }, "fit: epochs must be a positive integer, got 0."],
    [{ steps: 5, stepsPerEpoch: 1.5 }, "fit: stepsPerEpoch must be a positive integer, got 1.5."],
  ])("the options %o", async (options, message) => {
    await expect(trainer.fit([[x, y]], options)).rejects.toThrow(message);
  });

  test("what is no pair, a loss of many numbers, a name that is not there", async () => {
    const three = [[x, y, y]] as unknown[] as Batch[];
    await expect(trainer.fit(three, { epochs: 1 })).rejects.toThrow(
      "fit: a batch must be a pair [input, target], got a list of 3.",
    );
    const many = (p: Tensor, t: Tensor) => crossEntropyLoss(p, t, { reduction: "none" });
    await expect(
      new Trainer({ model, optimizer, loss: many }).fit([[x, y]], { epochs: 1 }),
    ).rejects.toThrow(
      "fit: the loss must be one number, got [60]. Reduce it with mean() or sum().",
    );
    const onEpochEnd: Callback["onEpochEnd"] = (record, run) => {
      run.monitored(record, "acc");
    };
    const asking = {
      model,
      optimizer,
      loss,
      metrics: [new Accuracy()],
      callbacks: [{ onEpochEnd }],
    };
    await expect(new Trainer(asking).fit([[x, y]], { epochs: 1 })).rejects.toThrow(
      "fit: monitor must be one of loss, accuracy, got acc.",
    );
  });

  test("data that cannot be iterated, a loss that is no tensor, a second training at once", async () => {
    const call = (() => [[x, y]]) as unknown as Batch[];
    await expect(trainer.fit(call, { epochs: 1 })).rejects.toThrow(
      "fit: the data must be a DataLoader, a list or another iterable of batches, got function.",
    );
    const late = (async (p: Tensor, t: Tensor) => crossEntropyLoss(p, t)) as unknown;
    const promising = new Trainer({ model, optimizer, loss: late as () => Tensor });
    await expect(promising.fit([[x, y]], { epochs: 1 })).rejects.toThrow(
      "fit: the loss must be a tensor, got Promise.",
    );
    const first = trainer.fit([[x, y]], { epochs: 1 });
    await expect(trainer.fit([[x, y]], { epochs: 1 })).rejects.toThrow(
      "fit: a trainer must train once at a time, got a call during another.",
    );
    expect((await first).status).toBe("finished");
    expect((await trainer.fit([[x, y]], { epochs: 1 })).status).toBe("finished");
  });

  test("options that cannot be meant", () => {
    const other = new MLP(4, [8], 3);
    const make = (more: object) => () => new Trainer({ model, loss, optimizer, ...more });
    expect(make({ model: other })).toThrow(
      "Trainer: the optimizer must have parameters of the model, got none of them. Make it after model.to().",
    );
    expect(make({ optimizer: undefined })).toThrow(
      "Trainer: optimizer must be given, got undefined.",
    );
    expect(make({ accumulate: 0 })).toThrow(
      "Trainer: accumulate must be a positive integer, got 0.",
    );
    expect(make({ loss: new MSELoss({ reduction: "none" }) })).toThrow(
      'Trainer: the loss must be one number, got reduction "none". Use "mean" or "sum".',
    );
    expect(make({ metrics: [new Accuracy(), new Accuracy({ topK: 2 })] })).toThrow(
      'Trainer: metrics must have names of their own, and none "loss", got accuracy, accuracy.',
    );
    expect(make({ callbacks: [{ key: "a" }, { key: "a" }] })).toThrow(
      "Trainer: callbacks must have keys of their own, got a twice.",
    );
  });
});

test("evaluate stops when it is aborted", async () => {
  const { x, y, model, optimizer, loss } = smallTraining();
  const signal = AbortSignal.abort(new Error("enough"));
  const trainer = new Trainer({ model, loss, optimizer });
  await expect(trainer.evaluate([[x, y]], { signal })).rejects.toThrow("enough");
});
