import {
  byteSize,
  type CheckInstruction,
  type ElementInstruction,
  type ResultInstruction,
} from "@gradloom/engine";
import { elementValue } from "./expression.ts";
import { pushChecked } from "./fault.ts";
import type { Inductions } from "./inductions.ts";
import type { KernelFrame } from "./kernel-frame.ts";
import { pushLoad } from "./lanes.ts";
import { countIterations, type WrittenStage } from "./loop-nest.ts";
import * as v128 from "./opcodes/v128.ts";
import { writePhilox } from "./philox.ts";
import type { Scan } from "./scan.ts";
import type { StageAnalysis } from "./stage-analysis.ts";
import { StageMemory } from "./stage-memory.ts";
import type { Value, VectorWriter } from "./vector-writer.ts";

/** Writes the values of a stage's instructions. */
export class StageValues {
  readonly memory: StageMemory;
  /** How many lanes are being written. */
  width: number = 1;
  readonly #frame: KernelFrame;
  readonly #w: VectorWriter;
  readonly #stage: WrittenStage;
  readonly #inductions: Inductions;
  readonly #analysis: StageAnalysis;
  readonly #scans: ReadonlyMap<number, readonly Scan[]>;
  readonly #earlier: (result: ResultInstruction, copy: number) => Value;
  /** For each instruction, for each copy: what is in a local now. */
  readonly #values: Value[][];
  readonly #words = new Map<string, readonly number[]>();

  /** Scans have one for each copy if lanes lie across rows. */
  constructor(
    frame: KernelFrame,
    stage: WrittenStage,
    inductions: Inductions,
    analysis: StageAnalysis,
    scans: ReadonlyMap<number, readonly Scan[]>,
    earlier: (result: ResultInstruction, copy: number) => Value,
  ) {
    this.memory = new StageMemory(frame, stage, inductions, analysis, (i, copy) =>
      this.of(i, copy),
    );
    this.#frame = frame;
    this.#w = frame.w;
    this.#stage = stage;
    this.#inductions = inductions;
    this.#analysis = analysis;
    this.#scans = scans;
    this.#earlier = earlier;
    this.#values = stage.code.map(() => []);
  }

  /** Writes an instruction whose value is kept. */
  write(i: number, copy: number): void {
    this.#writeValue(i, copy);
    this.memory.keepOffsets(i);
  }

  #writeValue(i: number, copy: number): void {
    const w = this.#w;
    const instruction = this.#stage.code[i];
    if (instruction.op === "constant") {
      this.#values[i][0] = w.constant(instruction.dtype, instruction.value);
    } else if (instruction.op === "scalar") {
      const offset = this.#frame.scalarOffset(instruction.scalar);
      this.#values[i][0] = w.hoisted(`s${offset}`, () => w.f.get(0).load(v128.load, offset));
    } else if (instruction.op === "result") {
      this.#values[i][copy] = w.keep(this.#earlier(instruction, copy));
    } else {
      if (instruction.op === "philox") this.#writeWords(instruction, copy);
      // What a load has asked, and the vectors that it has read, serve others.
      if (instruction.op === "load") this.#push(i, copy);
      else w.scope(() => this.#push(i, copy));
      const local = w.fresh();
      w.f.set(local);
      this.#values[i][copy] = w.local(local);
    }
  }

  /** The value of an instruction: from its local, or computed on the spot. */
  of(i: number, copy: number): Value {
    if (this.#analysis.inlined[i]) return () => this.#w.scope(() => this.#push(i, copy));
    return this.#values[i][this.#analysis.varies[i] ? copy : 0];
  }

  #push(i: number, copy: number): void {
    const instruction = this.#stage.code[i];
    if ("args" in instruction) {
      if (instruction.op !== "philox") this.#pushElement(instruction, copy);
      else this.#w.f.get(this.#wordsOf(instruction, copy)[instruction.word ?? 0]);
    } else if (instruction.op === "load") {
      this.memory.pushLoad(instruction, copy, this.width);
    } else if (instruction.op === "check") {
      this.#pushCheck(instruction, copy);
    } else if (instruction.op === "scan") {
      const scan = this.#scans.get(i)?.[this.#frame.lanesAcross ? copy : 0];
      const value = this.of(instruction.arg, copy);
      // Of a single point: the value.
      if (!scan) value();
      else scan.push(value, this.width);
    } else if (instruction.op === "index") {
      this.#inductions.indexValue(instruction, copy)();
    } else if (instruction.op === "product") {
      const unit = byteSize[instruction.dtype];
      const pointer = this.#frame.product;
      const at = {
        dtype: instruction.dtype,
        pointer,
        offset: copy * this.#frame.lanes * unit,
        stride: unit,
        wraps: false,
      };
      pushLoad(this.#w, at, this.width);
    }
  }

  #pushElement({ op, args, dtype }: ElementInstruction, copy: number): void {
    const operands = args.map((argument) => {
      const operand = this.#stage.code[argument];
      return {
        dtype: operand.dtype,
        value: this.of(argument, copy),
        constant: operand.op === "constant" ? operand.value : undefined,
      };
    });
    elementValue(this.#w, op, dtype, operands)();
  }

  /** All four words are computed at once: kept for the other instructions with the same arguments. */
  #writeWords(instruction: ElementInstruction, copy: number): void {
    const w = this.#w;
    if (this.#wordsOf(instruction, copy)) return;
    const words = [0, 1, 2, 3].map(() => w.fresh());
    w.scope(() => {
      const [counter, stream, key0, key1] = instruction.args.map((i) => this.of(i, copy));
      writePhilox(w, counter, stream, key0, key1, words);
    });
    this.#words.set(`${instruction.args.join()} ${copy}`, words);
  }

  #wordsOf({ args }: ElementInstruction, copy: number): readonly number[] {
    return this.#words.get(`${args.join()} ${copy}`) as number[];
  }

  #pushCheck(check: CheckInstruction, copy: number): void {
    const { varies } = this.#analysis;
    const indices = this.of(check.arg, copy);
    // Where nothing runs, nothing is wrong.
    if (countIterations(this.#stage.inner) === 0) indices();
    else pushChecked(this.#w, indices, check, varies[check.arg] ? this.width : this.#frame.lanes);
  }

  /** Random words, and what loads share, are in locals for one piece of code. */
  startPiece(): void {
    this.memory.startPiece();
    this.#words.clear();
  }
}
