import { rowMajor } from "./shape.ts";

/**
 * Loop variables of one kernel while it is being planned. A variable may be split into a high and a low
 * part (`v = high · size(low) + low`) when an access needs its digits; forms written before follow
 * suit when they are next looked at.
 */
export class Variables {
  readonly #sizes: number[] = [];
  readonly #parts: ([high: number, low: number] | undefined)[] = [];
  /** Whether `unify` may say what a variable is. */
  readonly #free: boolean[] = [];
  /** What a variable turned out to be, expressed in others. */
  readonly #bindings: (Form | undefined)[] = [];

  /** A new variable that runs from 0 to `size - 1`. A free one may be bound to others. */
  create(size: number, free: boolean): number {
    this.#sizes.push(size);
    this.#parts.push(undefined);
    this.#free.push(free);
    this.#bindings.push(undefined);
    return this.#sizes.length - 1;
  }

  /** New variables of these sizes. */
  createAll(sizes: readonly number[], free: boolean): number[] {
    return sizes.map((size) => this.create(size, free));
  }

  /** How many values a variable takes. */
  size(variable: number): number {
    return this.#sizes[variable];
  }

  sizes(variables: readonly number[]): number[] {
    return variables.map((variable) => this.#sizes[variable]);
  }

  /** A form that is one variable, or 0 where there is nothing to choose. */
  form(variable: number): Form {
    return this.#sizes[variable] === 1 ? zero : { offset: 0, terms: [{ variable, factor: 1 }] };
  }

  /** A form for each variable. */
  forms(variables: readonly number[]): Form[] {
    return variables.map((variable) => this.form(variable));
  }

  /** Splits a variable so that its low part takes `low` values. `low` must divide its size. */
  split(variable: number, low: number): [high: number, low: number] {
    const free = this.#free[variable];
    const high = this.create(this.#sizes[variable] / low, free);
    const parts: [number, number] = [high, this.create(low, free)];
    this.#parts[variable] = parts;
    return parts;
  }

  /** The variables that a variable was split into, or itself; outermost first, without those of size 1. */
  leaves(variable: number): number[] {
    const parts = this.#parts[variable];
    if (!parts) return this.#sizes[variable] === 1 ? [] : [variable];
    return this.allLeaves(parts);
  }

  allLeaves(variables: readonly number[]): number[] {
    return variables.flatMap((variable) => this.leaves(variable));
  }

  /** The form in unsplit, unbound variables, with one term each, smallest factor first. */
  resolve(form: Form): Form {
    if (this.#isResolved(form.terms)) return form;
    let offset = form.offset;
    const terms: Term[] = [];
    const pending = [...form.terms];
    for (let term = pending.pop(); term; term = pending.pop()) {
      const { variable, factor } = term;
      const binding = this.#bindings[variable];
      const parts = this.#parts[variable];
      if (binding) {
        offset += factor * binding.offset;
        for (const t of binding.terms) {
          pending.push({ variable: t.variable, factor: factor * t.factor });
        }
      } else if (parts) {
        pending.push({ variable: parts[0], factor: factor * this.#sizes[parts[1]] });
        pending.push({ variable: parts[1], factor });
      } else if (this.#sizes[variable] > 1) {
        const i = terms.findIndex((other) => other.variable === variable);
        if (i < 0) terms.push(term);
        else terms[i] = { variable, factor: terms[i].factor + factor };
      }
    }
    const left = terms.filter(({ factor }) => factor !== 0);
    left.sort((a, b) => Math.abs(a.factor) - Math.abs(b.factor) || b.variable - a.variable);
    return { offset, terms: left };
  }

  /** Whether these are variables as they are, in order: mostly they are, and nothing has to be done. */
  #isResolved(terms: readonly Term[]): boolean {
    return terms.every(
      ({ variable, factor }, i) =>
        !this.#bindings[variable] &&
        !this.#parts[variable] &&
        this.#sizes[variable] > 1 &&
        terms.every(
          (t, j) => j >= i || (t.variable !== variable && Math.abs(t.factor) < Math.abs(factor)),
        ),
    );
  }

  /** The least and the greatest value of a resolved form. */
  range(form: Form): [least: number, greatest: number] {
    let least = form.offset;
    let greatest = form.offset;
    for (const { variable, factor } of form.terms) {
      const reach = factor * (this.#sizes[variable] - 1);
      if (reach < 0) least += reach;
      else greatest += reach;
    }
    return [least, greatest];
  }

  /**
   * Quotient and remainder of a form by `size`, as forms; splits variables where that makes it possible.
   * `undefined` if they are not affine.
   */
  divide(form: Form, size: number): [quotient: Form, remainder: Form] | undefined {
    const { offset, terms } = this.resolve(form);
    const quotient: Term[] = [];
    const remainder: Term[] = [];
    for (const { variable, factor } of terms) {
      if (factor % size === 0) {
        quotient.push({ variable, factor: factor / size });
        continue;
      }
      const reach = Math.abs(factor) * this.#sizes[variable];
      const low = size / Math.abs(factor);
      if (reach > size && Number.isInteger(low) && this.#sizes[variable] % low === 0) {
        this.split(variable, low);
        return this.divide(form, size);
      }
      remainder.push({ variable, factor });
    }
    const whole = Math.floor(offset / size);
    const low = { offset: offset - whole * size, terms: remainder };
    const [least, greatest] = this.range(low);
    if (least < 0 || greatest >= size) return undefined;
    return [{ offset: whole, terms: quotient }, low];
  }

  /**
   * Makes two forms equal by binding free variables of the first to variables of the second. Both must be
   * digits of one number: each factor the product of the sizes below it. Says whether that worked.
   */
  unify(first: Form, second: Form): boolean {
    const left = this.resolve(first);
    const right = this.resolve(second);
    if (left.offset !== right.offset) return false;
    const a = [...left.terms];
    const b = [...right.terms];
    while (a.length > 0 && b.length > 0) {
      const { variable: x, factor } = a.shift()!;
      const { variable: v, factor: other } = b.shift()!;
      if (factor !== other) return false;
      if (x === v) continue;
      if (!this.#free[x]) return false;
      const sizeX = this.#sizes[x];
      const sizeV = this.#sizes[v];
      if (sizeX === sizeV) {
        this.#bindings[x] = this.form(v);
      } else if (sizeV % sizeX === 0) {
        const [high, low] = this.split(v, sizeX);
        this.#bindings[x] = this.form(low);
        b.unshift({ variable: high, factor: factor * sizeX });
      } else if (sizeX % sizeV === 0) {
        const [high, low] = this.split(x, sizeV);
        this.#bindings[low] = this.form(v);
        a.unshift({ variable: high, factor: factor * sizeV });
      } else return false;
    }
    return a.length === 0 && b.length === 0;
  }

  /** The variables that forms have once resolved, innermost first in each. */
  named(forms: readonly Form[]): number[] {
    return forms.flatMap((form) => this.resolve(form).terms.map(({ variable }) => variable));
  }

  /** The free variables that a variable still stands for, outermost first. */
  unbound(variable: number): number[] {
    return this.named([this.form(variable)])
      .filter((other) => this.#free[other])
      .reverse();
  }
}

/** `offset + Σ factor · variable`. */
export interface Form {
  readonly offset: number;
  readonly terms: readonly Term[];
}

/** A multiple of a variable. */
interface Term {
  readonly variable: number;
  readonly factor: number;
}

/** The form that is always 0. */
export const zero: Form = { offset: 0, terms: [] };

/** `form · factor + offset`. */
export function scale(form: Form, factor: number, offset: number): Form {
  const terms = form.terms.map((t) => ({ variable: t.variable, factor: t.factor * factor }));
  return { offset: form.offset * factor + offset, terms };
}

/** `offset + Σ factors[i] · forms[i]`. Not resolved. */
export function combine(forms: readonly Form[], factors: readonly number[], offset: number): Form {
  const terms: Term[] = [];
  let start = offset;
  // From the last, whose factors are the smallest as a rule: the terms are in order then.
  for (let i = forms.length - 1; i >= 0; i--) {
    if (factors[i] === 0) continue;
    const { offset: own, terms: parts } = scale(forms[i], factors[i], 0);
    start += own;
    terms.push(...parts);
  }
  return { offset: start, terms };
}

/** The position in row-major order, given the forms of the axes. Not resolved. */
export function flatten(forms: readonly Form[], shape: readonly number[]): Form {
  return combine(forms, rowMajor(shape), 0);
}
