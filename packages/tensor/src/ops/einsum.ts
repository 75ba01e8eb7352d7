import type { ArgumentError } from "@gradloom/engine";
import { argumentError, shapeError } from "../errors.ts";
import { sizeOf } from "../shape.ts";
import type { Tensor } from "../tensor.ts";

/** A tensor and a letter for each of its axes. */
interface Labelled {
  readonly tensor: Tensor;
  readonly labels: readonly string[];
}

/**
 * Products summed over axes, in Einstein's notation: `einsum("ij,jk->ik", a, b)` is the matrix product.
 *
 * A letter names an axis; those that are missing on the right are summed over. Without `->` the result has, in
 * alphabetical order, the letters that occur once. A letter twice in one operand takes the diagonal. `...` stands
 * for any axes, which broadcast. Operands are multiplied from left to right.
 *
 * @throws ArgumentError if the equation is malformed. ShapeError if it does not fit the operands.
 */
export function einsum(equation: string, ...operands: readonly Tensor[]): Tensor {
  const { inputs, output } = parse(equation, operands);
  const sizes = sizesOf(equation, inputs, operands);
  let result = diagonals({ tensor: operands[0], labels: inputs[0] });
  for (let i = 1; i < operands.length; i++) {
    const next = diagonals({ tensor: operands[i], labels: inputs[i] });
    const later = new Set([...output, ...inputs.slice(i + 1).flat()]);
    result = contract(
      sumOver(result, (l) => later.has(l) || next.labels.includes(l)),
      next,
      later,
      sizes,
    );
  }
  result = sumOver(result, (label) => output.includes(label));
  return result.tensor.permute(output.map((label) => result.labels.indexOf(label)));
}

interface Parsed {
  readonly inputs: readonly (readonly string[])[];
  readonly output: readonly string[];
}

/** Letters for each operand; the axes that `...` stands for get names of their own, from the last on. */
function parse(equation: string, operands: readonly Tensor[]): Parsed {
  const compact = equation.replaceAll(/\s/g, "");
  const term = "[A-Za-z]*([.]{3})?[A-Za-z]*";
  if (!new RegExp(`^${term}(,${term})*(->${term})?$`).test(compact)) {
    throw malformed(`must be like "ij,jk->ik", got "${equation}".`);
  }
  const [left, right] = compact.split("->");
  const terms = left.split(",");
  if (terms.length !== operands.length) {
    throw malformed(
      `must name the axes of each operand, got ${terms.length} terms for ${operands.length} operands.`,
    );
  }
  let hidden = 0;
  const inputs = terms.map((text, i) => {
    const { ndim, shape } = operands[i];
    const named = text.replace("...", "").length;
    const rest = ndim - named;
    if (rest < 0 || (rest > 0 && !text.includes("..."))) {
      throw shapeError`einsum: a term must have a letter for each axis, got "${text}" for ${shape}.`;
    }
    hidden = Math.max(hidden, rest);
    return expandDots(text, rest);
  });
  const all = inputs.flat();
  const output =
    right === undefined
      ? [...dots(hidden), ...once(all.filter((label) => label.length === 1))]
      : expandDots(right, hidden);
  const wrong = output.find((label, i) => !all.includes(label) || output.indexOf(label) !== i);
  if (wrong !== undefined) {
    throw malformed(
      `must have the letters of the result once, and on the left, got "${wrong}" in "${equation}".`,
    );
  }
  return { inputs, output };
}

function malformed(what: string): ArgumentError {
  return argumentError`einsum: the equation ${what}`;
}

function expandDots(text: string, count: number): string[] {
  const [front, behind] = text.split("...");
  return behind === undefined ? [...text] : [...front, ...dots(count), ...behind];
}

/** Names of hidden axes: `.2`, `.1`, `.0`, so that the last axes of all operands have equal names. */
function dots(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `.${count - 1 - i}`);
}

/** The labels that occur once, in alphabetical order. */
function once(labels: readonly string[]): string[] {
  return labels.filter((l) => labels.indexOf(l) === labels.lastIndexOf(l)).sort();
}

/** The size of each label; 1 broadcasts. */
function sizesOf(
  equation: string,
  inputs: readonly (readonly string[])[],
  operands: readonly Tensor[],
): Map<string, number> {
  const sizes = new Map<string, number>();
  inputs.forEach((labels, i) => {
    labels.forEach((label, axis) => {
      const size = operands[i].shape[axis];
      const known = sizes.get(label) ?? 1;
      if (known !== 1 && size !== 1 && known !== size) {
        throw shapeError`einsum: axes of one letter must have one size, got ${known} and ${size} for "${label}" in "${equation}" with ${operands.map(({ shape }) => shape)}.`;
      }
      sizes.set(label, known === 1 ? size : known);
    });
  });
  return sizes;
}

/** Takes the diagonal of axes with the same letter. */
function diagonals({ tensor, labels }: Labelled): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) !== i);
  if (second === -1) return { tensor, labels };
  const label = labels[second];
  const first = labels.indexOf(label);
  const rest = labels.filter((_, i) => i !== first && i !== second);
  return diagonals({ tensor: tensor.diagonal(0, first, second), labels: [...rest, label] });
}

/** Sums over the axes that are not kept. */
function sumOver({ tensor, labels }: Labelled, keep: (label: string) => boolean): Labelled {
  const axes = labels.flatMap((label, axis) => (keep(label) ? [] : [axis]));
  if (axes.length === 0) return { tensor, labels };
  return { tensor: tensor.sum(axes), labels: labels.filter(keep) };
}

/**
 * The product of two operands, summed over the axes that both have and nobody needs later: one batched matrix
 * product `[batch, left, summed] × [batch, summed, right]`.
 */
function contract(
  a: Labelled,
  other: Labelled,
  later: ReadonlySet<string>,
  sizes: ReadonlyMap<string, number>,
): Labelled {
  const b = sumOver(other, (label) => later.has(label) || a.labels.includes(label));
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => later.has(label));
  const summed = shared.filter((label) => !later.has(label));
  const left = a.labels.filter((label) => !shared.includes(label));
  const right = b.labels.filter((label) => !shared.includes(label));
  const labels = [...batch, ...left, ...right];
  if (summed.length === 0) {
    return { tensor: arranged(a, labels).mul(arranged(b, labels)), labels };
  }
  const size = (names: readonly string[]) => names.map((label) => sizes.get(label) ?? 1);
  const grouped = (x: Labelled, groups: readonly (readonly string[])[]) => {
    const order = groups.flat();
    // Broadcast sizes of shared axes must be real ones in a matrix product.
    const full = arranged(x, order).expand(size(order));
    return full.reshape([...size(batch), ...groups.slice(1).map((names) => sizeOf(size(names)))]);
  };
  const product = grouped(a, [batch, left, summed]).matmul(grouped(b, [batch, summed, right]));
  return { tensor: product.reshape([...size(batch), ...size(left), ...size(right)]), labels };
}

/** Axes in the order of `labels`, with size 1 where there is none. */
function arranged({ tensor, labels: own }: Labelled, labels: readonly string[]): Tensor {
  const present = labels.filter((label) => own.includes(label));
  const permuted = tensor.permute(present.map((label) => own.indexOf(label)));
  let axis = 0;
  return permuted.reshape(
    labels.map((label) => (own.includes(label) ? permuted.shape[axis++] : 1)),
  );
}
