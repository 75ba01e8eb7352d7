import type { DType } from "./dtype.ts";
import type { ElementOp } from "./element-op.ts";
import { type Form, flatten, scale, type Variables, zero } from "./form.ts";
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
    }
  | { readonly op: "index"; readonly dtype: "int32"; readonly form: Form }
  | { readonly op: "constant"; readonly dtype: DType; readonly value: number }
  | { readonly op: "scalar"; readonly dtype: DType; readonly slot: number }
  | { readonly op: "product"; readonly dtype: DType }
  | {
      readonly op: ElementOp;
      readonly dtype: DType;
      readonly args: readonly number[];
      readonly word?: number;
    };

/** Thrown when a value's elements cannot be reached by strides; it must have a place of its own. */
export class Untraceable extends Error {
  readonly value: Value;

  constructor(value: Value) {
    super("not affine");
    this.value = value;
  }
}

/** Follows an expression down to the anchors and leaves that it reads: views become arithmetic on indices. */
export class Trace {
  readonly code: Step[] = [];
  readonly #variables: Variables;
  readonly #needsAxes: (value: Value) => boolean;
  readonly #known = new Map<string, number>();

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
    const [x] = value.inputs;
    const { attributes, dtype } = value;
    switch (value.op) {
      case "constant":
        return this.#push({ op: "constant", dtype, value: attributes[0] });
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
      case "pad":
        return this.#padded(value, forms, guards);
      case "box":
      case "cat":
      case "matmul":
      case "copy":
        throw new Untraceable(value);
      default: {
        if (value.reduceOp !== undefined) throw new Untraceable(value);
        const op = value.op as ElementOp;
        const args = value.inputs.map((input) =>
          this.value(input, broadcast(input.shape, forms), guards),
        );
        return this.#push(
          op === "philox" ? { op, dtype, args, word: attributes[0] } : { op, dtype, args },
        );
      }
    }
  }

  #reshaped(x: Value, flat: Form, guards: readonly FormGuard[]): number {
    if ((x.isLeaf || x.isAnchor) && !this.#needsAxes(x))
      return this.#read(x, undefined, flat, guards);
    const forms = this.#digits(flat, x.shape);
    if (forms !== undefined) return this.value(x, forms, guards);
    if (x.isLeaf || x.isAnchor) return this.#read(x, undefined, flat, guards);
    throw new Untraceable(x);
  }

  /** The position by axis of a position in row-major order. */
  #digits(flat: Form, shape: readonly number[]): Form[] | undefined {
    const forms = new Array<Form>(shape.length);
    let rest = flat;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const parts = this.#variables.divide(rest, shape[axis]);
      if (parts === undefined) return undefined;
      rest = parts[0];
      forms[axis] = parts[1];
    }
    return forms;
  }

  #padded(value: Value, forms: readonly Form[], guards: readonly FormGuard[]): number {
    const [x] = value.inputs;
    const inner = forms.map((form, axis) => scale(form, 1, -value.attributes[axis]));
    const own: FormGuard[] = [];
    for (let axis = 0; axis < inner.length; axis++) {
      const size = x.shape[axis];
      const [least, greatest] = this.#variables.range(this.#variables.resolve(inner[axis]));
      if (least < 0 || greatest >= size) own.push({ form: inner[axis], size });
    }
    const element = this.value(x, inner, [...guards, ...own]);
    // A guarded read gives 0 outside by itself; anything computed has to be told.
    if (own.length === 0 || this.code[element].op === "read") return element;
    const zero = this.#push({ op: "constant", dtype: value.dtype, value: 0 });
    const inside = own.map((guard) => this.#inside(guard)).reduce((a, b) => this.#and(a, b));
    return this.#push({ op: "where", dtype: value.dtype, args: [inside, element, zero] });
  }

  #inside({ form, size }: FormGuard): number {
    const index = this.#push({ op: "index", dtype: "int32", form: this.#variables.resolve(form) });
    const low = this.#push({ op: "constant", dtype: "int32", value: 0 });
    const high = this.#push({ op: "constant", dtype: "int32", value: size - 1 });
    return this.#and(
      this.#push({ op: "le", dtype: "bool", args: [low, index] }),
      this.#push({ op: "le", dtype: "bool", args: [index, high] }),
    );
  }

  #and(a: number, b: number): number {
    return this.#push({ op: "and", dtype: "bool", args: [a, b] });
  }

  #read(
    value: Value,
    forms: readonly Form[] | undefined,
    flat: Form,
    guards: readonly FormGuard[],
  ): number {
    const resolve = (form: Form) => this.#variables.resolve(form);
    return this.#push({
      op: "read",
      dtype: value.dtype,
      value,
      forms: forms?.map(resolve),
      flat: resolve(flat),
      guards: guards.map(({ form, size }) => ({ form: resolve(form), size })),
    });
  }

  /** Adds a step, or finds the one that does the same. */
  #push(step: Step): number {
    const key = keyOf(step);
    let position = this.#known.get(key);
    if (position === undefined) {
      position = this.code.push(step) - 1;
      this.#known.set(key, position);
    }
    return position;
  }
}

function keyOf(step: Step): string {
  const of = ({ offset, terms }: Form) =>
    `${offset}${terms.map((t) => `+${t.factor}*${t.variable}`).join("")}`;
  switch (step.op) {
    case "read": {
      const guards = step.guards.map(({ form, size }) => `${of(form)}<${size}`);
      return `read ${step.value.number} ${step.forms?.map(of) ?? ""} ${of(step.flat)} ${guards}`;
    }
    case "index":
      return `index ${of(step.form)}`;
    case "constant":
      return `constant ${step.dtype} ${Object.is(step.value, -0) ? "-0" : step.value}`;
    case "scalar":
      return `scalar ${step.slot}`;
    case "product":
      return "product";
    default:
      return `${step.op} ${step.dtype} ${step.args} ${step.word}`;
  }
}

function broadcast(shape: readonly number[], forms: readonly Form[]): readonly Form[] {
  const lead = forms.length - shape.length;
  if (lead === 0 && !shape.includes(1)) return forms;
  return shape.map((size, axis) => (size === 1 ? zero : forms[lead + axis]));
}
