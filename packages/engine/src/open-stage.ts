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

/** Whether two things that are made of numbers and names, in the same order, are alike. */
function isAlike(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (!(a instanceof Object) || a instanceof Value) return false;
  const [first, second] = [Object.values(a), Object.values(b ?? [])];
  return first.length === second.length && first.every((part, i) => isAlike(part, second[i]));
}

/** The position of an instruction, which is added to the code if there is none that does the same. */
export function positionIn<T extends { readonly op: string }>(code: T[], instruction: T): number {
  const known = code.findIndex((i) => i.op === instruction.op && isAlike(i, instruction));
  return known < 0 ? code.push(instruction) - 1 : known;
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
    return Math.abs(this.time % 2) === 0;
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
