// Runs the command line from its arguments to its exit code.
import v8 from "node:v8";
import { CommanderError } from "commander";
import { InterruptedError, PlaygroundError } from "./errors.ts";
import { type Actions, createProgram, type EngineOptions } from "./program.ts";

const actions: Actions = {
  // Imported when wanted: --help needs none of it, and a command only its own.
  async trainDnn(options) {
    await applyEngineOptions(options);
    const { trainDnn } = await import("./train-dnn.ts");
    await untilInterrupted((signal) => trainDnn(options, process.stdout, signal));
  },
  async trainDigits(options) {
    await applyEngineOptions(options);
    const { trainDigits } = await import("./train-digits.ts");
    await untilInterrupted((signal) => trainDigits(options, process.stdout, signal));
  },
  async trainDigitsMLP(options) {
    await applyEngineOptions(options);
    const { trainDigitsMLP } = await import("./train-digits-mlp.ts");
    await untilInterrupted((signal) => trainDigitsMLP(options, process.stdout, signal));
  },
  async trainSound(options) {
    await applyEngineOptions(options);
    const { trainSound } = await import("./train-sound.ts");
    await untilInterrupted((signal) => trainSound(options, process.stdout, signal));
  },
  async trainSegmentation(options) {
    await applyEngineOptions(options);
    const { trainSegmentation } = await import("./train-segmentation.ts");
    await untilInterrupted((signal) => trainSegmentation(options, process.stdout, signal));
  },
  async trainText(options) {
    await applyEngineOptions(options);
    const { trainText } = await import("./train-text.ts");
    await untilInterrupted((signal) => trainText(options, process.stdout, signal));
  },
  async trainTranslation(options) {
    await applyEngineOptions(options);
    const { trainTranslation } = await import("./train-translation.ts");
    await untilInterrupted((signal) => trainTranslation(options, process.stdout, signal));
  },
  async trainDates(options) {
    await applyEngineOptions(options);
    const { trainDates } = await import("./train-dates.ts");
    await untilInterrupted((signal) => trainDates(options, process.stdout, signal));
  },
  async addingProblem(options) {
    await applyEngineOptions(options);
    const { addingProblem } = await import("./adding-problem.ts");
    await untilInterrupted((signal) => addingProblem(options, process.stdout, signal));
  },
  async trainMoE(options) {
    await applyEngineOptions(options);
    const { trainMoE } = await import("./train-moe.ts");
    await untilInterrupted((signal) => trainMoE(options, process.stdout, signal));
  },
  async trainGPT(options) {
    await applyEngineOptions(options);
    const { trainGPT } = await import("./train-gpt.ts");
    await untilInterrupted((signal) => trainGPT(options, process.stdout, signal));
  },
  async generateGPT(options) {
    await applyEngineOptions(options);
    const { generateGPT } = await import("./train-gpt.ts");
    await untilInterrupted((signal) => generateGPT(options, process.stdout, signal));
  },
  async showBackwardEffect(options) {
    await applyEngineOptions(options);
    const { showBackwardEffect } = await import("./show-backward-effect.ts");
    showBackwardEffect(options, (text) => process.stdout.write(text));
  },
};

/**
 * Does what the arguments say.
 *
 * @returns the exit code: 0 success, 1 failure, 2 a mistake on the command line, 130 Ctrl-C
 */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await createProgram(actions).parseAsync(args, { from: "user" });
    return 0;
  } catch (error) {
    // Commander has printed its message already; help and version are not errors.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof InterruptedError) {
      console.error(`\n${error.message}${error.isSaved ? "" : " Nothing was written."}`);
      return 130;
    }
    console.error(`\nerror: ${await explain(error)}`);
    return 1;
  }
}

/** A message for what went wrong; a stack trace as well if it is a mistake in the program. */
async function explain(error: unknown): Promise<string> {
  const { GradloomError } = await import("@gradloom/tensor");
  if (error instanceof PlaygroundError || error instanceof GradloomError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function applyEngineOptions(options: EngineOptions): Promise<void> {
  const { backend, threads, relaxedSimd, wideSimd = false } = options;
  // Only an application may change the flags of V8, and only before it compiles the first module.
  if (relaxedSimd) v8.setFlagsFromString("--experimental-wasm-relaxed-simd");
  const { setBackend, setNumThreads } = await import("@gradloom/tensor");
  if (backend !== undefined || wideSimd) setBackend(backend ?? "wasm", { wideSimd });
  if (threads !== undefined) setNumThreads(threads);
}

/** Lets Ctrl-C end a task in good order; a second Ctrl-C ends the process at once. */
async function untilInterrupted(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const interrupt = () => controller.abort();
  process.once("SIGINT", interrupt);
  try {
    await task(controller.signal);
  } finally {
    process.off("SIGINT", interrupt);
  }
}
