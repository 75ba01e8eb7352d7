import type { DType } from "./dtype.ts";
import { type ElementOp, elementOps } from "./element-op.ts";
import { combine, type Form, flatten, scale, type Variables, zero } from "./form.ts";
import { outsideOf } from "./graph.ts";
import { positionIn } from "./open-stage.ts";
import { stridesOf } from "./operand.ts";
import type { Value } from "./value.ts";

/** Holds when `0 <= form < size`. */
export interface FormGuard {
  readonly form: Form;
  readonly size: number;
}

/** One step of a traced expression; like a kernel's instruction, but with loops still to be chosen. */
export type Step =
  | {
      readonly op: "read";
      readonly dtype: DType;
      readonly value: Value;
      /** The element's position by axis; `undefined` if a reshape hides the axes. */
      readonly forms: readonly Form[] | undefined;
      readonly flat: Form;
      readonly guards: readonly FormGuard[];
      /** What it gives where they do not hold, if that is not 0. */
      readonly outside: number | undefined;
      /** The element lies `stride` times the value of a step further on. */
      readonly index: { readonly step: number; readonly stride: number } | undefined;
    }
  | {
      readonly op: "check";
      readonly dtype: "int32";
      readonly arg: number;
      readonly size: number;
      readonly name: number;
    }
  | {
      readonly op: "scan";
      readonly dtype: DType;
      readonly arg: number;
      readonly reduce: "sum" | "prod";
    }
  | { readonly op: "index"; readonly dtype: "int32"; readonly form: Form }
  | { readonly op: "constant"; readonly dtype: DType; readonly value: number }
  | { readonly op: "scalar"; readonly dtype: DType; readonly slot: number }
  | { readonly op: "product"; readonly dtype: DType }
  | {
      readonly op: ElementOp;
      readonly dtype: DType;
      readonly args: readonly number[];
      readonly word?: number | undefined;
    };

/** Thrown when a value's elements cannot be reached by strides; it must have a place of its own. */
export class Untraceable extends Error {
  readonly value: Value;

  constructor(value: Value) {
    super("not affine");
    this.value = value;
  }
}

/** What gives 0 for zeros; of `where`, whatever the condition. */
const keepsZero: ReadonlySet<Step["op"]> = new Set(["where", "add", "sub", "mul", "abs", "cast"]);

/** Follows an expression down to the anchors and leaves that it reads: views become arithmetic on indices. */
export class Trace {
  readonly code: Step[] = [];
  readonly #variables: Variables;
  readonly #needsAxes: (value: Value) => boolean;

  /**
   * @param needsAxes - Whether a read of this anchor is of use only if its axes are known.
   */
  constructor(variables: Variables, needsAxes: (value: Value) => boolean) {
    this.#variables = variables;
    this.#needsAxes = needsAxes;
  }

  /** The expression of an anchor itself, at this element: for a reduction, its input's. */
  expression(anchor: Value, forms: readonly Form[]): number {
    if (anchor.reduceOp !== undefined || anchor.op === "copy") {
      return this.value(anchor.inputs[0], forms);
    }
    if (anchor.op === "matmul") return this.#push({ op: "product", dtype: anchor.dtype });
    const { scanOp: reduce, dtype } = anchor;
    if (reduce !== undefined) {
      return this.#push({ op: "scan", dtype, arg: this.value(anchor.inputs[0], forms), reduce });
    }
    return this.#compute(anchor, forms, []);
  }

  /** The step that gives an element of a value. */
  value(value: Value, forms: readonly Form[], guards: readonly FormGuard[] = []): number {
    if (value.isLeaf || value.isAnchor) {
      return this.#read(value, forms, flatten(forms, value.shape), guards);
    }
    return this.#compute(value, forms, guards);
  }

  #compute(value: Value, forms: readonly Form[], guards: readonly FormGuard[]): number {
    const { attributes, dtype, inputs } = value;
    const x = inputs[0];
    switch (value.op) {
      case "constant":
        return this.#constant(dtype, attributes[0]);
      case "scalar":
        return this.#push({ op: "scalar", dtype, slot: value.slot });
      case "iota":
        return this.#push({ op: "index", dtype: "int32", form: this.#variables.resolve(forms[0]) });
      case "reshape":
        return this.#reshaped(x, flatten(forms, value.shape), guards);
      case "permute": {
        const inner = new Array<Form>(forms.length);
        for (let i = 0; i < forms.length; i++) inner[attributes[i]] = forms[i];
        return this.value(x, inner, guards);
      }
      case "expand":
        return this.value(x, broadcast(x.shape, forms), guards);
      case "slice": {
        const { length } = forms;
        const inner = forms.map((f, i) => scale(f, attributes[length + i], attributes[i]));
        return this.value(x, inner, guards);
      }
      case "pad": {
        const inner = forms.map((form, axis) => scale(form, 1, -attributes[axis]));
        return this.#within(x, inner, guards, 0);
      }
      case "affine": {
        const { length } = forms;
        const rows = x.shape.map((_, a) => x.shape.length + a * length);
        const inner = rows.map((at, a) =>
          combine(forms, attributes.slice(at, at + length), attributes[a]),
        );
        return this.#within(x, inner, guards, outsideOf(attributes));
      }
      case "check": {
        // Outside its guards an index is 0 before anything is done to it, which may not be a good one.
        if (guards.length > 0) throw new Untraceable(value);
        const [size, name] = attributes;
        return this.#push({ op: "check", dtype: "int32", arg: this.value(x, forms), size, name });
      }
      case "gather":
        if (guards.length > 0) throw new Untraceable(value);
        return this.#gathered(value, forms);
      case "box":
      case "cat":
      case "matmul":
      case "copy":
      case "sort":
      case "part":
        throw new Untraceable(value);
      default: {
        if (!(value.op in elementOps)) throw new Untraceable(value);
        const op = value.op as ElementOp;
        const args = inputs.map((input) =>
          this.value(input, broadcast(input.shape, forms), guards),
        );
        return this.#push({ op, dtype, args, word: attributes[0] });
      }
    }
  }

  #reshaped(x: Value, flat: Form, guards: readonly FormGuard[]): number {
    if ((x.isLeaf || x.isAnchor) && !this.#needsAxes(x))
      return this.#read(x, undefined, flat, guards);
    const forms = this.#digits(flat, x.shape);
    if (forms) return this.value(x, forms, guards);
    if (x.isLeaf || x.isAnchor) return this.#read(x, undefined, flat, guards);
    throw new Untraceable(x);
  }

  /** The position by axis of a position in row-major order. */
  #digits(flat: Form, shape: readonly number[]): Form[] | undefined {
    const forms = new Array<Form>(shape.length);
    let rest = flat;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const parts = this.#variables.divide(rest, shape[axis]);
      if (!parts) return undefined;
      rest = parts[0];
      forms[axis] = parts[1];
    }
    return forms;
  }

  /** An element of `x`, or `outside` where it has none. */
  #within(x: Value, inner: readonly Form[], guards: readonly FormGuard[], outside: number): number {
    const own: FormGuard[] = [];
    for (let axis = 0; axis < inner.length; axis++) {
      const size = x.shape[axis];
      const [least, greatest] = this.#variables.range(this.#variables.resolve(inner[axis]));
      if (least < 0 || greatest >= size) own.push({ form: inner[axis], size });
    }
    if (outside !== 0 && own.length > 0 && guards.length === 0 && (x.isLeaf || x.isAnchor)) {
      return this.#read(x, inner, flatten(inner, x.shape), own, undefined, outside);
    }
    const element = this.value(x, inner, [...guards, ...own]);
    if (own.length === 0 || (outside === 0 && this.#vanishes(element))) return element;
    const other = this.#constant(x.dtype, outside);
    const inside = own
      .map((guard) => this.#inside(guard))
      .reduce((a, b) => this.#element("and", "bool", a, b));
    return this.#element("where", x.dtype, inside, element, other);
  }

  /** Whether a step is 0 where the guards of all that it reads do not hold. */
  #vanishes(position: number): boolean {
    const step = this.code[position];
    if (step.op === "constant") return step.value === 0;
    if (step.op === "read") return step.outside === undefined;
    if (!("args" in step) || !keepsZero.has(step.op)) return false;
    const args = step.op === "where" ? step.args.slice(1) : step.args;
    return args.every((arg) => this.#vanishes(arg));
  }

  /** An element of a value in memory whose position along one axis is computed. */
  #gathered({ inputs: [x, index], attributes: [axis] }: Value, forms: readonly Form[]): number {
    const place = stridesOf(x);
    if (!place) throw new Untraceable(x);
    const step = this.value(index, forms);
    const factors = place.strides.map((stride, i) => (i === axis ? 0 : stride));
    const flat = combine(forms, factors, place.offset);
    return this.#read(place.base, undefined, flat, [], { step, stride: place.strides[axis] });
  }

  #inside({ form, size }: FormGuard): number {
    const index = this.#push({ op: "index", dtype: "int32", form: this.#variables.resolve(form) });
    const low = this.#element("le", "bool", this.#constant("int32", 0), index);
    const high = this.#element("le", "bool", index, this.#constant("int32", size - 1));
    return this.#element("and", "bool", low, high);
  }

  #constant(dtype: DType, value: number): number {
    return this.#push({ op: "constant", dtype, value });
  }

  #element(op: "le" | "and" | "where", dtype: DType, ...args: readonly number[]): number {
    return this.#push({ op, dtype, args });
  }

  #read(
    value: Value,
    forms: readonly Form[] | undefined,
    flat: Form,
    guards: readonly FormGuard[],
    index?: { readonly step: number; readonly stride: number },
    outside?: number,
  ): number {
    const resolve = (form: Form) => this.#variables.resolve(form);
    return this.#push({
      op: "read",
      dtype: value.dtype,
      value,
      forms: forms?.map(resolve),
      flat: resolve(flat),
      guards: guards.map(({ form, size }) => ({ form: resolve(form), size })),
      outside,
      index,
    });
  }

  /** Adds a step, or finds the one that does the same. */
  #push(step: Step): number {
    return positionIn(this.code, step);
  }
}

function broadcast(shape: readonly number[], forms: readonly Form[]): readonly Form[] {
  const lead = forms.length - shape.length;
  if (lead === 0 && !shape.includes(1)) return forms;
  return shape.map((size, axis) => (size === 1 ? zero : forms[lead + axis]));
}
