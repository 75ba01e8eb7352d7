import {
  type Backend,
  type DType,
  IndexError,
  isFloat,
  type Program,
  stagesOf,
  type TypedArray,
} from "@gradloom/engine";
import type { RandomProgram } from "./kernel-builder.ts";
import { isInexact, perturb } from "./perturb.ts";

/** By buffer number: what is in it after the run; `undefined` for buffers in the arena. */
export type Outputs = readonly (TypedArray | undefined)[];

/** Runs a program on a backend with memory of its own. */
export function runOn(backend: Backend, { program, contents, scalars }: RandomProgram): Outputs {
  const executable = backend.compile(program);
  const addresses = contents.map((content) => {
    if (content === undefined) return 0;
    const address = backend.allocate(content.byteLength);
    backend.write(address, content);
    return address;
  });
  executable.run(addresses, scalars);
  const outputs = contents.map((content, i) =>
    content === undefined ? undefined : read(backend, program, i, addresses[i]),
  );
  contents.forEach((content, i) => {
    if (content !== undefined) backend.free(addresses[i]);
  });
  return outputs;
}

/** Whether a run finds an index out of range. */
export function failsOn(backend: Backend, random: RandomProgram): boolean {
  try {
    runOn(backend, random);
    return false;
  } catch (error) {
    if (error instanceof IndexError) return true;
    throw error;
  }
}

function read(backend: Backend, program: Program, buffer: number, address: number): TypedArray {
  const { dtype, length } = program.buffers[buffer];
  if (backend.readSync === undefined) throw new Error(`${backend.name} cannot read at once`);
  return backend.readSync(address, dtype, length);
}

/** What comparing found. */
export interface Comparison {
  /** How far the worst element is off, as a part of what it may be. */
  readonly worst: number;
  /** Which element that is, and what it should be. */
  readonly where: string;
  readonly elements: number;
  /** Elements that differ where the oracle itself does not know: rounding decides about them. */
  readonly undecided: number;
}

/** Compares a backend's outputs with the oracle's. */
export function compare(random: RandomProgram, oracle: Backend, got: Outputs): Comparison {
  const expected = runOn(oracle, random);
  const inexact = isInexact(random);
  const close = judge(random, expected, got, inexact ? [[]] : []);
  if (close.worst <= 1 || !inexact) return close;
  // It takes errors on the way to explain this, if they can: a few random ones, or else more of them.
  const moved: Outputs[] = [];
  let result = close;
  for (const count of [5, 50]) {
    while (moved.length < count) moved.push(runOn(oracle, perturb(random, moved.length)));
    result = judge(random, expected, got, moved);
    if (result.worst <= 1) return result;
  }
  return result;
}

/**
 * Each element may be off by four times the largest distance between the expected value and those of the
 * moved programs, and by four units in its last place if there are any of these programs.
 */
function judge(
  { program }: RandomProgram,
  expected: Outputs,
  got: Outputs,
  moved: readonly Outputs[],
): Comparison {
  let worst = 0;
  let where = "nothing differs";
  let elements = 0;
  let undecided = 0;
  expected.forEach((array, buffer) => {
    const actual = got[buffer];
    if (array === undefined || actual === undefined) return;
    const { dtype } = program.buffers[buffer];
    elements += array.length;
    for (let i = 0; i < array.length; i++) {
      const value = array[i];
      if (actual[i] === value || (Number.isNaN(actual[i]) && Number.isNaN(value))) continue;
      const others = moved.map((outputs) => outputs[buffer]?.[i] ?? value);
      let error = Infinity;
      if (isFloat(dtype) && [value, ...others].every(Number.isFinite)) {
        const spread = Math.max(0, ...others.map((other) => Math.abs(other - value)));
        const allowed = 4 * spread + (moved.length > 0 ? 4 * unitOf(dtype, value) : 0);
        if (Number.isFinite(actual[i])) error = Math.abs(actual[i] - value) / allowed;
      } else if (others.some((other) => !Object.is(other, value))) {
        undecided++;
        error = 0;
      }
      if (error > worst) {
        worst = error;
        where = `buffer ${buffer} (${dtype}) element ${i}: must be ${value}, got ${actual[i]}`;
      }
    }
  });
  return { worst, where, elements, undecided };
}

/**
 * A unit in the last place of a value, about; at least the distance of the smallest numbers of float32, since a
 * float64 may come from one.
 */
function unitOf(dtype: DType, value: number): number {
  const relative = dtype === "float32" ? 2 ** -23 : 2 ** -52;
  return Math.max(relative * Math.abs(value), 2 ** -149);
}

/** Whether all bytes are the same. */
export function sameBits(a: Outputs, b: Outputs): boolean {
  return a.every((array, i) => {
    const other = b[i];
    if (array === undefined || other === undefined) return array === other;
    const bytes = (x: TypedArray): Uint8Array =>
      new Uint8Array(x.buffer, x.byteOffset, x.byteLength);
    return Buffer.compare(bytes(array), bytes(other)) === 0;
  });
}

/** A program as text, to see what failed. */
export function describeProgram({ program, contents, scalars }: RandomProgram): string {
  const lines: string[] = [];
  program.buffers.forEach(({ dtype, length }, i) => {
    const place = contents[i] === undefined ? "arena" : "memory";
    lines.push(`buffer ${i}: ${dtype}[${length}] in ${place}`);
  });
  lines.push(`scalars: ${program.scalars.map((dtype, i) => `${dtype} ${scalars[i]}`).join(", ")}`);
  program.kernels.forEach((kernel, i) => {
    const { kind, buffers, scalars: used } = kernel;
    lines.push(
      `kernel ${i}: ${kind}, barrier ${program.barriers[i]}, buffers [${buffers}], scalars [${used}]`,
    );
    const parts = Object.entries(kernel).filter(
      ([name]) =>
        !["kind", "buffers", "scalars", "label"].includes(name) && !/stage|epi/.test(name),
    );
    lines.push(...parts.map(([name, part]) => `  ${name} ${JSON.stringify(part)}`));
    stagesOf(kernel).forEach((stage, s) => {
      lines.push(`  stage ${s}: inner [${stage.inner}]`);
      stage.code.forEach((step, p) => {
        lines.push(`    ${p}: ${JSON.stringify(step)}`);
      });
      for (const store of stage.stores) lines.push(`    store ${JSON.stringify(store)}`);
      for (const result of stage.results) lines.push(`    result ${JSON.stringify(result)}`);
    });
  });
  return lines.join("\n");
}
