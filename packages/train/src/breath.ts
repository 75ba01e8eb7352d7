/** For how long a loop runs before it lets others have a turn, in milliseconds. */
const turn = 40;

/** Lets timers, signals and messages have their turn now and then, in a loop that otherwise never waits. */
export class Breath {
  #last = performance.now();

  /** Whether it is time. */
  get isDue(): boolean {
    return performance.now() - this.#last > turn;
  }

  async take(): Promise<void> {
    await new Promise<void>((resolve) => {
      // A timer takes a millisecond at least.
      if (immediate === undefined) setTimeout(resolve, 0);
      else immediate(resolve);
    });
    this.#last = performance.now();
  }
}

const immediate = (globalThis as { setImmediate?: (fn: () => void) => unknown }).setImmediate;
