import type { Member } from "./group.ts";
import {
  type Access,
  type Instruction,
  type Result,
  type Stage,
  type Store,
  withAffines,
} from "./kernel.ts";
import { remember } from "./remember.ts";
import type { Step } from "./trace.ts";

/**
 * What two things that are made of numbers and names have in common if they are alike.
 *
 * @param stages - Where there are instructions in it: JSON has neither -0 nor what is not finite, but constants may be that.
 */
export function exactKey(
  structure: unknown,
  stages: readonly { readonly code: readonly (Instruction | Step)[] }[],
): string {
  let key = JSON.stringify(structure);
  let at = 0;
  for (const { code } of stages) {
    for (const i of code) {
      at += 1;
      if (i.op !== "constant") continue;
      if (!Number.isFinite(i.value) || Object.is(i.value, -0)) key += ` ${at}:${i.value}`;
    }
  }
  return key;
}

/** A stage while members are being put into it. Results name stages by their time, rows have negative numbers. */
export class OpenStage {
  readonly time: number;
  readonly stores: Store[] = [];
  readonly results: Result[] = [];
  /** Members already computed in this stage, and the results that stand for them. */
  readonly values: Map<Member, number> = new Map();
  readonly exported: Map<Member, number> = new Map();
  readonly #code: Instruction[] = [];
  readonly #known = new Map<string, number>();

  constructor(time: number) {
    this.time = time;
  }

  /** Whether it passes over the row, rather than running once a row. */
  get isPass(): boolean {
    return Math.abs(this.time % 2) === 0;
  }

  /** Adds an instruction, or finds the one that does the same. */
  push(instruction: Instruction): number {
    const key = exactKey(instruction, [{ code: [instruction] }]);
    return remember(this.#known, key, () => this.#code.push(instruction) - 1);
  }

  /**
   * The stage in its final form: results name stages by position, rows come behind the buffers.
   *
   * @param inner - Sizes of its inner loops.
   * @param loops - How many loops it has.
   * @param kept - All stages of the kernel, in order.
   * @param buffers - How many buffers the kernel has.
   */
  close(
    inner: readonly number[],
    loops: number,
    kept: readonly OpenStage[],
    buffers: number,
  ): Stage {
    const final = (access: Access): Access =>
      access.buffer >= 0 ? access : { ...access, buffer: buffers - 1 - access.buffer };
    const code = this.#code.map((instruction): Instruction => {
      if (instruction.op === "load") return { ...instruction, access: final(instruction.access) };
      if (instruction.op !== "result") return instruction;
      const position = kept.findIndex(({ time }) => time === instruction.stage);
      return { ...instruction, stage: position };
    });
    const stores = this.stores.map(({ value, access }) => ({ value, access: final(access) }));
    // Without the strides of inner loops that it does not have.
    return withAffines({ inner, code, stores, results: this.results }, (affine) => ({
      ...affine,
      strides: affine.strides.slice(0, loops),
    }));
  }
}
