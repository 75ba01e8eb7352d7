/** What holds while a function runs. */
export class Context<T> {
  value: T;

  constructor(value: T) {
    this.value = value;
  }

  /** Runs `fn` with another value, and restores what was before. */
  run<R>(value: T, fn: () => R): R {
    const before = this.value;
    this.value = value;
    try {
      return fn();
    } finally {
      this.value = before;
    }
  }
}
