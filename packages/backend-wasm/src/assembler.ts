import { maxPages } from "./memory.ts";
import * as i32 from "./opcodes/i32.ts";
import * as v128 from "./opcodes/v128.ts";
import type { Opcode } from "./opcodes.ts";

/** A type of a local, a parameter or a result. */
export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

const typeBytes: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
};

function pushUnsigned(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

function pushSigned(bytes: number[], value: number): void {
  let rest = value;
  for (;;) {
    const low = rest & 0x7f;
    rest = Math.floor(rest / 0x80);
    if (rest === (low & 0x40 ? -1 : 0)) {
      bytes.push(low);
      return;
    }
    bytes.push(low | 0x80);
  }
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  pushUnsigned(bytes, value);
  return bytes;
}

/** How many there are, then the bytes. */
function sized(bytes: readonly number[]): number[] {
  return unsigned(bytes.length).concat(bytes);
}

/** How many there are, then the entries. */
function list(entries: readonly (readonly number[])[]): number[] {
  return unsigned(entries.length).concat(...entries);
}

function nameOf(text: string): number[] {
  return sized([...text].map((letter) => letter.charCodeAt(0)));
}

/** The body of a WebAssembly function, written instruction by instruction. */
export class FunctionWriter {
  /** What `call` and exports name this function by. */
  readonly index: number;
  readonly type: number;
  readonly #numParameters: number;
  readonly #locals: ValueType[] = [];
  readonly #start: number[] = [];
  readonly #main: number[] = [];
  #code: number[] = this.#main;
  #depth = 0;

  constructor(index: number, type: number, numParameters: number) {
    this.index = index;
    this.type = type;
    this.#numParameters = numParameters;
  }

  /** A new local, zero at first. Parameters are the locals 0, 1, … */
  local(type: ValueType = "i32"): number {
    return this.#numParameters + this.#locals.push(type) - 1;
  }

  locals(count: number, type: ValueType = "i32"): number[] {
    return Array.from({ length: count }, () => this.local(type));
  }

  /** An instruction, followed by its immediates: single bytes such as lane numbers. */
  op(opcode: Opcode, ...immediates: readonly number[]): this {
    if (opcode < 0x100) {
      this.#code.push(opcode);
    } else if (opcode < 0x400) {
      this.#code.push(0xfd);
      pushUnsigned(this.#code, opcode - 0x100);
    } else {
      this.#code.push(opcode >>> 8, opcode & 0xff);
    }
    this.#code.push(...immediates);
    return this;
  }

  select(): this {
    return this.op(0x1b);
  }

  drop(): this {
    return this.op(0x1a);
  }

  return(): this {
    return this.op(0x0f);
  }

  get(local: number): this {
    return this.#indexed(0x20, local);
  }

  set(local: number): this {
    return this.#indexed(0x21, local);
  }

  tee(local: number): this {
    return this.#indexed(0x22, local);
  }

  /** Adds a number to a local of i32; nothing is written for 0. */
  add(local: number, amount: number): this {
    return amount === 0 ? this : this.get(local).i32(amount).op(i32.add).set(local);
  }

  /** Adds a number to a local of i32, and pushes it. */
  addAndGet(local: number, amount: number): this {
    return this.get(local).i32(amount).op(i32.add).tee(local);
  }

  /** Adds another local to a local of i32. */
  advance(local: number, by: number): this {
    return this.get(local).get(by).op(i32.add).set(local);
  }

  /** Pushes the lesser of two locals, without a sign. */
  smaller(a: number, b: number): this {
    return this.get(a).get(b).get(a).get(b).op(i32.lt_u).select();
  }

  /** Goes on with the loop as long as more than 0 is left, of which so much is gone now. */
  whileLeft(left: number, gone: number, loop: number): this {
    return this.get(left).i32(gone).op(i32.sub).tee(left).i32(0).op(i32.gt_s).brIf(loop);
  }

  /** One less of a counter, and the loop again unless that is 0. */
  countDown(counter: number, loop: number): this {
    return this.addAndGet(counter, -1).brIf(loop);
  }

  call(functionIndex: number): this {
    return this.#indexed(0x10, functionIndex);
  }

  /** Takes the position in the table from the stack. */
  callIndirect(type: number): this {
    return this.#indexed(0x11, type).op(0); // of the only table
  }

  i32(value: number): this {
    this.#code.push(0x41);
    pushSigned(this.#code, value | 0);
    return this;
  }

  /** An integer that float64 can hold. */
  i64(value: number): this {
    this.#code.push(0x42);
    pushSigned(this.#code, value);
    return this;
  }

  f32(value: number): this {
    return this.#constant(0x43, Float32Array.of(value));
  }

  f64(value: number): this {
    return this.#constant(0x44, Float64Array.of(value));
  }

  /** A vector constant with the same value in each lane. */
  f32x4(value: number): this {
    return this.#constant(v128.const, new Float32Array(4).fill(value));
  }

  f64x2(value: number): this {
    return this.#constant(v128.const, new Float64Array(2).fill(value));
  }

  /** A vector constant: one value for all lanes, or four. */
  i32x4(...values: readonly number[]): this {
    const lanes = [0, 1, 2, 3].map((lane) => values[lane % values.length]);
    return this.#constant(v128.const, Int32Array.from(lanes));
  }

  /** A load: takes the address from the stack. The `offset` is added to it. */
  load(opcode: Opcode, offset = 0, lane?: number): this {
    // Atomics must state their natural alignment; for the others it is a hint that engines ignore.
    this.op(opcode, opcode >>> 8 === 0xfe ? 2 : 0);
    pushUnsigned(this.#code, offset);
    if (lane !== undefined) this.#code.push(lane);
    return this;
  }

  /** A store: takes the address and the value from the stack. */
  store(opcode: Opcode, offset = 0, lane?: number): this {
    return this.load(opcode, offset, lane);
  }

  /** Opens a block: returns the label that a branch to its end names. */
  block(result?: ValueType): number {
    return this.#open(0x02, result);
  }

  /** Opens a loop: a branch to its label goes to its start. */
  loop(result?: ValueType): number {
    return this.#open(0x03, result);
  }

  /** Takes a condition from the stack. */
  if(result?: ValueType): number {
    return this.#open(0x04, result);
  }

  else(): this {
    this.#code.push(0x05);
    return this;
  }

  end(): this {
    this.#depth--;
    this.#code.push(0x0b);
    return this;
  }

  br(label: number): this {
    return this.#indexed(0x0c, this.#depth - label);
  }

  brIf(label: number): this {
    return this.#indexed(0x0d, this.#depth - label);
  }

  /** Puts what `write` writes, which must leave the stack as it was, at the function's start. */
  hoist(write: () => void): this {
    const code = this.#code;
    this.#code = this.#start;
    write();
    this.#code = code;
    return this;
  }

  /** Declarations and instructions, as the code section wants them. */
  body(): readonly number[] {
    const bytes: number[] = [];
    pushUnsigned(bytes, this.#locals.length);
    for (const type of this.#locals) bytes.push(1, typeBytes[type]);
    return bytes.concat(this.#start, this.#main, 0x0b);
  }

  #open(opcode: number, result: ValueType | undefined): number {
    this.#code.push(opcode, result === undefined ? 0x40 : typeBytes[result]);
    return ++this.#depth;
  }

  #constant(name: Opcode, values: Float32Array | Float64Array | Int32Array): this {
    return this.op(name, ...new Uint8Array(values.buffer));
  }

  #indexed(opcode: number, index: number): this {
    this.#code.push(opcode);
    pushUnsigned(this.#code, index);
    return this;
  }
}

/** A WebAssembly module under construction. Imports come before functions. */
export class ModuleWriter {
  readonly #types: string[] = [];
  readonly #functions: FunctionWriter[] = [];
  /** What is in each section, by its number. */
  readonly #sections: number[][][] = Array.from({ length: 11 }, () => []);
  #numImportedFunctions = 0;

  /** Imports the memory `e.m`, of one page at least. */
  importMemory(shared: boolean): void {
    this.#import("e", "m", 0x02, [shared ? 0x03 : 0x01, 0x01, ...unsigned(maxPages)]);
  }

  /** Returns the index that `call` takes. */
  importFunction(
    module: string,
    name: string,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
  ): number {
    this.#import(module, name, 0x00, unsigned(this.type(parameters, results)));
    return this.#numImportedFunctions++;
  }

  /** A function of the module; write its body into what is returned. */
  function(
    parameters: readonly ValueType[],
    results: readonly ValueType[] = [],
    exportName?: string,
  ): FunctionWriter {
    const index = this.#numImportedFunctions + this.#functions.length;
    const type = this.type(parameters, results);
    const writer = new FunctionWriter(index, type, parameters.length);
    this.#functions.push(writer);
    this.#sections[3].push(unsigned(type));
    this.#export(exportName, 0x00, index);
    return writer;
  }

  /** A table of the module's own, exported if it has a name. */
  table(initial: number, exportName?: string): void {
    this.#sections[4].push([0x70, 0x00, ...unsigned(initial)]);
    this.#export(exportName, 0x01, 0);
  }

  /** Puts functions into the first table, from a position on. */
  element(position: number, functionIndices: readonly number[]): void {
    const offset: number[] = [];
    pushSigned(offset, position);
    this.#sections[9].push([0x00, 0x41, ...offset, 0x0b, ...list(functionIndices.map(unsigned))]);
  }

  /** The index of a function type, for `callIndirect`. */
  type(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${parameters}>${results}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    const [from, to] = [parameters, results].map((types) => sized(types.map((t) => typeBytes[t])));
    this.#sections[1].push([0x60, ...from, ...to]);
    return this.#types.push(key) - 1;
  }

  /** The binary module. */
  finish(): Uint8Array<ArrayBuffer> {
    this.#sections[10] = this.#functions.map((f) => sized(f.body()));
    let bytes = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
    this.#sections.forEach((entries, id) => {
      if (entries.length > 0) bytes = bytes.concat(id, sized(list(entries)));
    });
    return Uint8Array.from(bytes);
  }

  #import(module: string, name: string, kind: number, type: readonly number[]): void {
    this.#sections[2].push([...nameOf(module), ...nameOf(name), kind, ...type]);
  }

  #export(name: string | undefined, kind: number, index: number): void {
    if (name !== undefined) this.#sections[7].push([...nameOf(name), kind, ...unsigned(index)]);
  }
}
