import { rowMajor } from "./shape.ts";

/**
 * Loop variables of one kernel while it is being planned. A variable may be split into a high and a low
 * part (`v = high · size(low) + low`) when an access needs its digits; forms written before follow
 * suit when they are next looked at.
 */
export class Variables {
  readonly #all: Variable[] = [];

  /** A new variable that runs from 0 to `size - 1`. A free one may be bound to others. */
  create(size: number, free: boolean): number {
    return this.#all.push({ size, free, parts: undefined, binding: undefined }) - 1;
  }

  /** New variables of these sizes. */
  createAll(sizes: readonly number[], free: boolean): number[] {
    return sizes.map((size) => this.create(size, free));
  }

  /** How many values a variable takes. */
  size(variable: number): number {
    return this.#all[variable].size;
  }

  sizes(variables: readonly number[]): number[] {
    return variables.map((variable) => this.size(variable));
  }

  /** A form that is one variable, or 0 where there is nothing to choose. */
  form(variable: number): Form {
    return this.size(variable) === 1 ? zero : { offset: 0, terms: [{ variable, factor: 1 }] };
  }

  /** A form for each variable. */
  forms(variables: readonly number[]): Form[] {
    return variables.map((variable) => this.form(variable));
  }

  /** Splits a variable so that its low part takes `low` values. `low` must divide its size. */
  split(variable: number, low: number): [high: number, low: number] {
    const whole = this.#all[variable];
    const { size, free } = whole;
    const parts: [number, number] = [this.create(size / low, free), this.create(low, free)];
    whole.parts = parts;
    whole.binding = combine(this.forms(parts), [low, 1], 0);
    return parts;
  }

  /** The variables that some were split into, or themselves; outermost first, without those of size 1. */
  leaves(variables: readonly number[], leaves: number[] = []): number[] {
    for (const variable of variables) {
      const { size, parts } = this.#all[variable];
      if (parts) this.leaves(parts, leaves);
      else if (size > 1) leaves.push(variable);
    }
    return leaves;
  }

  /** The form in unsplit, unbound variables, with one term each, smallest factor first. */
  resolve(form: Form): Form {
    if (this.#isResolved(form.terms)) return form;
    const terms: Term[] = [];
    const offset = form.offset + this.#addTo(terms, form.terms, 1);
    return { offset, terms };
  }

  /** Adds multiples of some terms to resolved ones, and returns what is added besides. */
  #addTo(terms: Term[], added: readonly Term[], times: number): number {
    let offset = 0;
    for (const { variable, factor: own } of added) {
      const { size, binding } = this.#all[variable];
      let factor = own * times;
      if (binding) {
        offset += factor * binding.offset + this.#addTo(terms, binding.terms, factor);
      } else if (size > 1) {
        const known = terms.findIndex((term) => term.variable === variable);
        if (known >= 0) factor += terms.splice(known, 1)[0].factor;
        if (factor === 0) continue;
        const term = { variable, factor };
        const at = terms.findIndex((other) => isBehind(other, term));
        terms.splice(at < 0 ? terms.length : at, 0, term);
      }
    }
    return offset;
  }

  /** Whether these are variables as they are, in order: mostly they are, and nothing has to be done. */
  #isResolved(terms: readonly Term[]): boolean {
    for (let i = 0; i < terms.length; i++) {
      const { size, binding } = this.#all[terms[i].variable];
      if (binding || size === 1) return false;
      for (let j = 0; j < i; j++) {
        if (terms[j].variable === terms[i].variable || isBehind(terms[j], terms[i])) return false;
      }
    }
    return true;
  }

  /** By how much a form grows with each step of a loop, or `undefined` if that depends on where. */
  stride(form: Form, loop: number): number | undefined {
    const { parts } = this.#all[loop];
    if (!parts) {
      for (const { variable, factor } of this.resolve(form).terms) {
        if (variable === loop) return factor;
      }
      return 0;
    }
    const [high, low] = parts.map((part) => this.stride(form, part));
    const size = this.size(parts[1]);
    if (size === 1) return high;
    return this.size(parts[0]) === 1 || high === low! * size ? low : undefined;
  }

  /** The stride along each loop, if all have one. */
  strides(form: Form, loops: readonly number[]): number[] | undefined {
    const strides: number[] = [];
    for (const loop of loops) {
      const stride = this.stride(form, loop);
      if (stride === undefined) return undefined;
      strides.push(stride);
    }
    return strides;
  }

  /** The least and the greatest value of a resolved form. */
  range(form: Form): [least: number, greatest: number] {
    let least = form.offset;
    let greatest = form.offset;
    for (const { variable, factor } of form.terms) {
      const reach = factor * (this.size(variable) - 1);
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
      const reach = Math.abs(factor) * this.size(variable);
      const low = size / Math.abs(factor);
      if (reach > size && Number.isInteger(low) && this.size(variable) % low === 0) {
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
      if (!this.#all[x].free) return false;
      const sizeX = this.size(x);
      const sizeV = this.size(v);
      if (sizeX === sizeV) {
        this.#all[x].binding = this.form(v);
      } else if (sizeV % sizeX === 0) {
        const [high, low] = this.split(v, sizeX);
        this.#all[x].binding = this.form(low);
        b.unshift({ variable: high, factor: factor * sizeX });
      } else if (sizeX % sizeV === 0) {
        const [high, low] = this.split(x, sizeV);
        this.#all[low].binding = this.form(v);
        a.unshift({ variable: high, factor: factor * sizeV });
      } else return false;
    }
    return a.length === 0 && b.length === 0;
  }

  /** The variables that forms have once resolved, innermost first in each. */
  named(forms: readonly Form[]): number[] {
    const named: number[] = [];
    for (const form of forms) {
      for (const { variable } of this.resolve(form).terms) named.push(variable);
    }
    return named;
  }

  /** The free variables that a variable still stands for, outermost first. */
  unbound(variable: number): number[] {
    return this.named([this.form(variable)])
      .filter((other) => this.#all[other].free)
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

/** A loop variable. */
interface Variable {
  readonly size: number;
  /** Whether `unify` may say what it is. */
  readonly free: boolean;
  /** What it was split into. */
  parts: [high: number, low: number] | undefined;
  /** What it turned out to be, or its parts, as a form of others. */
  binding: Form | undefined;
}

/** Whether a term comes behind another in a resolved form. */
function isBehind(one: Term, other: Term): boolean {
  const more = Math.abs(one.factor) - Math.abs(other.factor);
  return more > 0 || (more === 0 && one.variable < other.variable);
}

/** The form that is always 0. */
export const zero: Form = { offset: 0, terms: [] };

/** `form · factor + offset`. */
export function scale(form: Form, factor: number, offset: number): Form {
  return combine([form], [factor], offset);
}

/** `offset + Σ factors[i] · forms[i]`. Not resolved. */
export function combine(forms: readonly Form[], factors: readonly number[], offset: number): Form {
  const terms: Term[] = [];
  let start = offset;
  // From the last, whose factors are the smallest as a rule: the terms are in order then.
  for (let i = forms.length - 1; i >= 0; i--) {
    if (factors[i] === 0) continue;
    start += forms[i].offset * factors[i];
    for (const { variable, factor } of forms[i].terms) {
      terms.push({ variable, factor: factor * factors[i] });
    }
  }
  return { offset: start, terms };
}

/** The position in row-major order, given the forms of the axes. Not resolved. */
export function flatten(forms: readonly Form[], shape: readonly number[]): Form {
  return combine(forms, rowMajor(shape), 0);
}
