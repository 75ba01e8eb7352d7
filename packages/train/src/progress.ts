import type { EpochRecord } from "./records.ts";

/** What is kept of how far a training is. */
export interface ProgressState {
  readonly epoch: number;
  readonly step: number;
  readonly stepInEpoch: number;
  readonly lr: number;
  readonly isPassOver: boolean;
  readonly seconds: number;
  readonly dataSeconds: number;
  readonly history: readonly EpochRecord[];
}

/** How far a training is, and how long it has taken. */
export class Progress {
  /** Epochs that are over. */
  epochs: number = 0;
  step: number = 0;
  stepInEpoch: number = 0;
  /** Whether the data has given all that it has for the present epoch. */
  isPassOver: boolean = false;
  /** The learning rate of the last step. */
  lr: number;
  history: EpochRecord[] = [];
  /** Seconds of the present epoch before the present stretch of training, and those of them that went into waiting for data. */
  seconds: number = 0;
  dataSeconds: number = 0;
  /** When the present stretch of training began, if there is one. */
  #since: number | undefined;

  constructor(lr: number) {
    this.lr = lr;
  }

  /** A step is done. */
  advance(lr: number): void {
    this.lr = lr;
    this.step += 1;
    this.stepInEpoch += 1;
  }

  /** An epoch is over. */
  closeEpoch(record: EpochRecord): void {
    this.history.push(record);
    this.epochs += 1;
    this.stepInEpoch = 0;
    this.isPassOver = false;
    this.seconds = 0;
    this.dataSeconds = 0;
  }

  /** A stretch of training begins. */
  startClock(): void {
    this.#since = performance.now();
  }

  /** Takes the time so far, if the clock runs, and what of it was spent on waiting for `data`. */
  readClock(data: { waited: number }): void {
    if (this.#since === undefined) return;
    const now = performance.now();
    this.seconds += (now - this.#since) / 1000;
    this.#since = now;
    this.dataSeconds += data.waited / 1000;
    data.waited = 0;
  }

  stopClock(): void {
    this.#since = undefined;
  }

  get state(): ProgressState {
    const { epochs, step, stepInEpoch, lr, isPassOver, seconds, dataSeconds, history } = this;
    return {
      epoch: epochs,
      step,
      stepInEpoch,
      lr,
      isPassOver,
      seconds,
      dataSeconds,
      history: [...history],
    };
  }

  stateFrom(state: ProgressState): void {
    this.epochs = state.epoch;
    this.step = state.step;
    this.stepInEpoch = state.stepInEpoch;
    this.lr = state.lr;
    this.isPassOver = state.isPassOver;
    this.seconds = state.seconds;
    this.dataSeconds = state.dataSeconds;
    this.history = [...state.history];
  }
}
