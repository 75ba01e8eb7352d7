import type { Member } from "./group.ts";
import {
  type Access,
  type Instruction,
  type Result,
  type Stage,
  type Store,
  withAffines,
} from "./kernel.ts";
import { Value } from "./value.ts";

/** Whether all that one thing has, which is made of numbers and names, another has, too. */
function isIn(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || !a || a instanceof Value || !b) return Object.is(a, b);
  if (a === b) return true;
  for (const key in a) if (!isIn(a[key as never], b[key as never])) return false;
  return true;
}

/** The position of an instruction, which is added to the code if there is none that does the same. */
export function positionIn<T extends { readonly op: string }>(code: T[], instruction: T): number {
  for (let i = 0; i < code.length; i++) {
    if (code[i].op !== instruction.op) continue;
    if (isIn(code[i], instruction) && isIn(instruction, code[i])) return i;
  }
  return code.push(instruction) - 1;
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

  constructor(time: number) {
    this.time = time;
  }

  /** Whether it passes over the row, rather than running once a row. */
  get isPass(): boolean {
    return this.time % 2 === 0;
  }

  /** Adds an instruction, or finds the one that does the same. */
  push(instruction: Instruction): number {
    return positionIn(this.#code, instruction);
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
    const code = this.#code.map((instruction): Instruction => {
      if (instruction.op !== "result") return instruction;
      const position = kept.findIndex(({ time }) => time === instruction.stage);
      return { ...instruction, stage: position };
    });
    const { stores, results } = this;
    return withAffines({ inner, code, stores, results }, (affine) => {
      // Without the strides of inner loops that it does not have.
      const own = { ...affine, strides: affine.strides.slice(0, loops) };
      const { buffer = 0 } = affine as Partial<Access>;
      return buffer < 0 ? { ...own, buffer: buffers - 1 - buffer } : own;
    });
  }
}
