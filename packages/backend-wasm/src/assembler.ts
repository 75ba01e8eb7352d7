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

const functionReference = 0x70;
const scratch = new DataView(new ArrayBuffer(8));

function pushUnsigned(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}

function pushSigned(bytes: number[], value: bigint): void {
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)) {
      bytes.push(low);
      return;
    }
    bytes.push(low | 0x80);
  }
}

function pushName(bytes: number[], name: string): void {
  pushUnsigned(bytes, name.length);
  for (let i = 0; i < name.length; i++) bytes.push(name.charCodeAt(i));
}

function pushTypes(bytes: number[], types: readonly ValueType[]): void {
  pushUnsigned(bytes, types.length);
  for (const type of types) bytes.push(typeBytes[type]);
}

function pushFloat32(bytes: number[], value: number): void {
  scratch.setFloat32(0, value, true);
  for (let i = 0; i < 4; i++) bytes.push(scratch.getUint8(i));
}

function pushFloat64(bytes: number[], value: number): void {
  scratch.setFloat64(0, value, true);
  for (let i = 0; i < 8; i++) bytes.push(scratch.getUint8(i));
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
  /** Of the part being written by `interleave`: its pieces so far, and how deep in blocks it is. */
  #pieces: number[][] | undefined;
  #piecesDepth = 0;

  constructor(index: number, type: number, numParameters: number) {
    this.index = index;
    this.type = type;
    this.#numParameters = numParameters;
  }

  /** A new local, zero at first. Parameters are the locals 0, 1, … */
  local(type: ValueType): number {
    return this.#numParameters + this.#locals.push(type) - 1;
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

  /** Adds a number to a local of i32. */
  add(local: number, amount: number): this {
    return this.get(local).i32(amount).op(i32.add).set(local);
  }

  /** One less of a counter, and the loop again unless that is 0. */
  countDown(counter: number, loop: number): this {
    return this.get(counter).i32(1).op(i32.sub).tee(counter).brIf(loop);
  }

  call(functionIndex: number): this {
    return this.#indexed(0x10, functionIndex);
  }

  /** Takes the position in the table from the stack. */
  callIndirect(type: number, table = 0): this {
    this.#indexed(0x11, type);
    pushUnsigned(this.#code, table);
    return this;
  }

  i32(value: number): this {
    this.#code.push(0x41);
    pushSigned(this.#code, BigInt(value | 0));
    return this;
  }

  i64(value: bigint): this {
    this.#code.push(0x42);
    pushSigned(this.#code, value);
    return this;
  }

  f32(value: number): this {
    this.#code.push(0x43);
    pushFloat32(this.#code, value);
    return this;
  }

  f64(value: number): this {
    this.#code.push(0x44);
    pushFloat64(this.#code, value);
    return this;
  }

  /** A vector constant with the same value in each lane. */
  f32x4(value: number): this {
    this.op(v128.const);
    for (let lane = 0; lane < 4; lane++) pushFloat32(this.#code, value);
    return this;
  }

  f64x2(value: number): this {
    this.op(v128.const);
    for (let lane = 0; lane < 2; lane++) pushFloat64(this.#code, value);
    return this;
  }

  /** A vector constant: one value for all lanes, or four. */
  i32x4(...values: readonly number[]): this {
    this.op(v128.const);
    for (let lane = 0; lane < 4; lane++) {
      const value = values[lane % values.length];
      for (let i = 0; i < 32; i += 8) this.#code.push((value >>> i) & 0xff);
    }
    return this;
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

  /**
   * Writes parts that are alike in turns, so that a core has work from one while another waits: what each writes before
   * its first `pause`, then what each writes before its second, and so on. They may not share locals.
   */
  interleave(parts: readonly (() => void)[]): this {
    const code = this.#code;
    this.#piecesDepth = this.#depth;
    const written = parts.map((write) => {
      const pieces = [[]];
      this.#pieces = pieces;
      this.#code = pieces[0];
      write();
      return pieces;
    });
    this.#pieces = undefined;
    this.#code = code;
    for (const i of written[0].keys()) for (const pieces of written) code.push(...pieces[i]);
    return this;
  }

  /** A place, with nothing on the stack, at which `interleave` may go on with another part. */
  pause(): this {
    if (this.#pieces !== undefined && this.#depth === this.#piecesDepth) {
      this.#code = [];
      this.#pieces.push(this.#code);
    }
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

  #indexed(opcode: number, index: number): this {
    this.#code.push(opcode);
    pushUnsigned(this.#code, index);
    return this;
  }
}

/** Sizes of an imported memory, in pages of 64 KiB. */
export interface MemoryLimits {
  readonly initial: number;
  readonly maximum: number;
  readonly shared: boolean;
}

/** A WebAssembly module under construction. Imports come before functions. */
export class ModuleWriter {
  readonly #types: string[] = [];
  readonly #typeSection: number[][] = [];
  readonly #imports: number[][] = [];
  readonly #functions: FunctionWriter[] = [];
  readonly #exports: number[][] = [];
  readonly #elements: number[][] = [];
  readonly #tables: number[][] = [];
  #numImportedFunctions = 0;

  importMemory(module: string, name: string, limits: MemoryLimits): void {
    const bytes = this.#importEntry(module, name, 0x02);
    bytes.push(limits.shared ? 0x03 : 0x01);
    pushUnsigned(bytes, limits.initial);
    pushUnsigned(bytes, limits.maximum);
  }

  /** A table of functions, of at least this size: the only table then. */
  importTable(module: string, name: string, initial: number): void {
    const bytes = this.#importEntry(module, name, 0x01);
    bytes.push(functionReference, 0x00);
    pushUnsigned(bytes, initial);
  }

  /** Returns the index that `call` takes. */
  importFunction(
    module: string,
    name: string,
    parameters: readonly ValueType[],
    results: readonly ValueType[],
  ): number {
    const bytes = this.#importEntry(module, name, 0x00);
    pushUnsigned(bytes, this.type(parameters, results));
    return this.#numImportedFunctions++;
  }

  /** A function of the module; write its body into what is returned. */
  function(
    parameters: readonly ValueType[],
    results: readonly ValueType[] = [],
    exportName?: string,
  ): FunctionWriter {
    const index = this.#numImportedFunctions + this.#functions.length;
    const writer = new FunctionWriter(index, this.type(parameters, results), parameters.length);
    this.#functions.push(writer);
    if (exportName !== undefined) {
      const bytes: number[] = [];
      pushName(bytes, exportName);
      bytes.push(0x00);
      pushUnsigned(bytes, index);
      this.#exports.push(bytes);
    }
    return writer;
  }

  /** A table of the module's own, exported if it has a name. */
  table(initial: number, exportName?: string): void {
    const bytes = [functionReference, 0x00];
    pushUnsigned(bytes, initial);
    this.#tables.push(bytes);
    if (exportName === undefined) return;
    const entry: number[] = [];
    pushName(entry, exportName);
    this.#exports.push([...entry, 0x01, 0x00]);
  }

  /** Puts functions into the first table, from a position on. */
  element(position: number, functionIndices: readonly number[]): void {
    const bytes = [0x00, 0x41];
    pushSigned(bytes, BigInt(position));
    bytes.push(0x0b);
    pushUnsigned(bytes, functionIndices.length);
    for (const index of functionIndices) pushUnsigned(bytes, index);
    this.#elements.push(bytes);
  }

  /** The index of a function type, for `callIndirect`. */
  type(parameters: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${parameters.join()}>${results.join()}`;
    const known = this.#types.indexOf(key);
    if (known >= 0) return known;
    const bytes = [0x60];
    pushTypes(bytes, parameters);
    pushTypes(bytes, results);
    this.#typeSection.push(bytes);
    return this.#types.push(key) - 1;
  }

  /** The binary module. */
  finish(): Uint8Array<ArrayBuffer> {
    let bytes = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
    const section = (id: number, entries: readonly (readonly number[])[]): void => {
      if (entries.length === 0) return;
      const content = unsigned(entries.length).concat(...entries);
      bytes = bytes.concat(id, unsigned(content.length), content);
    };
    section(1, this.#typeSection);
    section(2, this.#imports);
    section(
      3,
      this.#functions.map((f) => unsigned(f.type)),
    );
    section(4, this.#tables);
    section(7, this.#exports);
    section(9, this.#elements);
    section(
      10,
      this.#functions.map((f) => {
        const body = f.body();
        return unsigned(body.length).concat(body);
      }),
    );
    return Uint8Array.from(bytes);
  }

  #importEntry(module: string, name: string, kind: number): number[] {
    const bytes: number[] = [];
    pushName(bytes, module);
    pushName(bytes, name);
    bytes.push(kind);
    this.#imports.push(bytes);
    return bytes;
  }
}

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  pushUnsigned(bytes, value);
  return bytes;
}
