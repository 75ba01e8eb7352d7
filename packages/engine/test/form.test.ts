import { expect, test } from "vitest";
import { type Form, flatten, scale, Variables } from "../src/form.ts";

/** The form's value where the variables have these values; parts of a split variable follow it. */
function valueAt(variables: Variables, form: Form, values: ReadonlyMap<number, number>): number {
  const { offset, terms } = variables.resolve(form);
  return terms.reduce((sum, t) => sum + t.factor * values.get(t.variable)!, offset);
}

/** Sets a variable's leaves so that they make up `value`. */
function setLeaves(
  variables: Variables,
  variable: number,
  value: number,
  values: Map<number, number>,
): void {
  let rest = value;
  for (const leaf of variables.leaves([variable]).reverse()) {
    values.set(leaf, rest % variables.size(leaf));
    rest = Math.floor(rest / variables.size(leaf));
  }
}

test("a form divided by a size gives the digits, for every value", () => {
  const variables = new Variables();
  const a = variables.create(6, true);
  const b = variables.create(8, true);
  const flat = flatten([variables.form(a), variables.form(b)], [6, 8]);
  const [quotient, remainder] = variables.divide(flat, 4)!;
  for (let i = 0; i < 6; i++) {
    for (let j = 0; j < 8; j++) {
      const values = new Map<number, number>();
      setLeaves(variables, a, i, values);
      setLeaves(variables, b, j, values);
      expect(valueAt(variables, quotient, values)).toBe(Math.floor((i * 8 + j) / 4));
      expect(valueAt(variables, remainder, values)).toBe((i * 8 + j) % 4);
    }
  }
});

test("a form whose digits depend on carries is not affine", () => {
  const variables = new Variables();
  const variable = variables.create(6, true);
  const a = variables.form(variable);
  expect(variables.divide(a, 4)).toBeUndefined();
  expect(variables.divide(scale(a, 1, 6), 6)).toEqual([
    { offset: 1, terms: [] },
    { offset: 0, terms: [{ variable, factor: 1 }] },
  ]);
  expect(variables.divide(scale(a, 1, 1), 3)).toBeUndefined();
});

test("unify binds free variables to the digits of others, splitting whichever is larger", () => {
  const variables = new Variables();
  const row = variables.create(12, false);
  const [x, y] = [variables.create(4, true), variables.create(3, true)];
  const free = flatten([variables.form(x), variables.form(y)], [4, 3]);
  expect(variables.unify(free, variables.form(row))).toBe(true);
  const leaves = variables.leaves([row]);
  expect(leaves.map((leaf) => variables.size(leaf))).toEqual([4, 3]);
  expect(variables.resolve(variables.form(x)).terms).toEqual([{ variable: leaves[0], factor: 1 }]);

  const z = variables.create(12, true);
  expect(variables.unify(variables.form(z), variables.form(row))).toBe(true);
  expect(variables.resolve(variables.form(z))).toEqual(variables.resolve(variables.form(row)));
});

test("unify refuses other strides, offsets, sizes and bound variables", () => {
  const variables = new Variables();
  const v = variables.form(variables.create(6, false));
  const free = () => variables.form(variables.create(6, true));
  expect(variables.unify(scale(free(), 2, 0), v)).toBe(false);
  expect(variables.unify(scale(free(), 1, 1), v)).toBe(false);
  expect(variables.unify(variables.form(variables.create(4, true)), v)).toBe(false);
  const other = variables.form(variables.create(6, false));
  expect(variables.unify(other, v)).toBe(false);
});
