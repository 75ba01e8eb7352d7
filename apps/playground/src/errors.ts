/** A failure that the user can understand and act on: printed without a stack trace, exit code 1. */
export class PlaygroundError extends Error {
  override readonly name = "PlaygroundError";
}

/** The user pressed Ctrl-C: exit code 130, as a shell expects of an interrupted program. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
  /** Whether something was written that the run can go on from. */
  readonly isSaved: boolean;

  constructor(message: string, isSaved = false) {
    super(message);
    this.isSaved = isSaved;
  }
}

/** @throws PlaygroundError if the loss of a step is no finite number. */
export function checkLoss(loss: number, step: number, lr: number): void {
  if (Number.isFinite(loss)) return;
  throw new PlaygroundError(
    `The loss of step ${step} is ${loss}: training diverged. Try a smaller --lr, it is ${lr}.`,
  );
}
