import { commonDigits } from "./digits.ts";
import { elementCost, elementOps } from "./element-op.ts";
import { Group, isClosed } from "./group.ts";
import { matrixOf, stridesOf, wholeOf } from "./operand.ts";
import { Untraceable } from "./trace.ts";
import type { Value } from "./value.ts";

/** Cheaper than this is computed again for each use rather than stored. */
const cheap = 3;
/** The largest expression that is computed in one go. */
const largestExpression = 60;
/**
 * How many matrix products one expression may read. A sum of more is taken as each product comes, behind it, so that not all
 * are there at once.
 */
const mostProducts = 3;

/**
 * Chooses the anchors: the values that get a place of their own. All others are computed anew, as a
 * part of the expression of whatever uses them. Anchors are what somebody wants, contractions,
 * reductions, `cat` and their operands, and what is used several times and costs more than reading it back.
 *
 * @returns By the numbers of anchors: a group of each alone, if it is known already.
 */
export function chooseAnchors(values: readonly Value[], fusion: boolean): (Group | undefined)[] {
  dropUnused(values);
  const uses = countUses(values);
  const replicated = findReplicated(values);
  const costs = new Float64Array(values.length);
  const sizes = new Float64Array(values.length);
  const products = new Float64Array(values.length);
  for (const value of values) {
    if (value.isLeaf || !isUsed(value)) continue;
    let cost = elementCost(value.op);
    let size = value.isView ? 0 : 1;
    for (const input of value.inputs) {
      cost += input.isAnchor ? 0 : costs[input.number];
      size += input.isAnchor ? 1 : sizes[input.number];
      products[value.number] += input.isAnchor
        ? Number(input.op === "matmul")
        : products[input.number];
    }
    costs[value.number] = cost;
    sizes[value.number] = size;
    if (value.isRoot || isOwnKernel(value)) value.isAnchor = true;
    else if (!value.isView && !isLiteral(value)) {
      const isCheap = cost < cheap || value.numel === 1;
      const repeated = (uses[value.number] > 1 || replicated[value.number] === 1) && !isCheap;
      const isLarge = size > largestExpression || products[value.number] > mostProducts;
      value.isAnchor = repeated || isLarge || !fusion;
    }
    if (value.op === "matmul") anchorOperands(value.inputs);
    if (value.op === "loop") for (const input of value.inputs) anchorWhole(input);
    if (value.op === "sort" || value.op === "gather") anchorOperand(value.inputs[0], false);
  }
  const groups: (Group | undefined)[] = [];
  for (const value of values) {
    if (value.isAnchor && value.op !== "cat")
      groups[value.number] = traceable(value, fusion, groups);
  }
  return groups;
}

function isUsed(value: Value): boolean {
  return value.consumers.length > 0 || value.isRoot;
}

/** Rewriting leaves values that nothing uses: they are no consumers of others, either. */
function dropUnused(values: readonly Value[]): void {
  for (let i = values.length - 1; i >= 0; i--) {
    values[i].consumers = values[i].consumers.filter(isUsed);
  }
}

function isOwnKernel(value: Value): boolean {
  const { op, reduceOp } = value;
  return isClosed(value) || op === "matmul" || op === "cat" || op === "copy" || !!reduceOp;
}

function isLiteral({ op }: Value): boolean {
  return op === "scalar" || op === "constant" || op === "iota" || op === "loop";
}

/** How many expressions compute each value, if none but roots and kernels of their own are anchors. */
function countUses(values: readonly Value[]): Float64Array {
  const uses = new Float64Array(values.length);
  for (let i = values.length - 1; i >= 0; i--) {
    for (const consumer of values[i].consumers) {
      uses[i] += consumer.isView ? uses[consumer.number] : 1;
    }
    if (values[i].isRoot) uses[i] += 1;
  }
  return uses;
}

/** Which values are read several times by one expression, because they broadcast. */
function findReplicated(values: readonly Value[]): Uint8Array {
  const replicated = new Uint8Array(values.length);
  for (let i = values.length - 1; i >= 0; i--) {
    const value = values[i];
    const broadcasts = value.consumers.some((consumer) => {
      if (consumer.op === "expand") return true;
      if (consumer.isView) return replicated[consumer.number] === 1;
      return consumer.op in elementOps && consumer.numel > value.numel;
    });
    if (broadcasts) replicated[i] = 1;
  }
  return replicated;
}

/** A loop gets its inputs in row-major order, and so does a product its bounds. */
function anchorWhole(input: Value): void {
  const whole = wholeOf(input);
  if (!whole.isLeaf) whole.isAnchor = true;
}

/**
 * Contractions, gathers and sorts read what they work on where it is, if its axes have strides there. For a matrix product
 * each axis may also be several loops, and have guards.
 */
function anchorOperand(operand: Value, isMatrix: boolean): void {
  let base = operand;
  while (base.isView && !base.isAnchor) base = base.inputs[0];
  if (isLiteral(base)) operand.isAnchor = true;
  else if (!base.isLeaf) base.isAnchor = true;
  const isReadable = () => (isMatrix ? matrixOf : stridesOf)(operand);
  if (isReadable()) return;
  // A copy of what is below a reshape may do.
  traceable(operand, true);
  if (!isReadable()) operand.isAnchor = true;
}

/** Both operands of a matrix product, whose terms must be the same loops for both, and the bounds of groups. */
function anchorOperands([a, b, bounds]: readonly Value[]): void {
  if (bounds) anchorWhole(bounds);
  anchorOperand(a, true);
  anchorOperand(b, true);
  const [left, right] = [a, b].map((operand) => matrixOf(operand)?.window);
  if (left && right && !commonDigits(left.columns, right.rows)) b.isAnchor = true;
}

/**
 * A group of an anchor alone. Gives a place to values that its expression cannot reach by strides: a reshape of a transpose,
 * say.
 *
 * @param known - By number: groups that become invalid if they may read what gets a place.
 */
function traceable(anchor: Value, fusion: boolean, known: (Group | undefined)[] = []): Group {
  for (;;) {
    try {
      return new Group(anchor, fusion);
    } catch (error) {
      if (!(error instanceof Untraceable)) throw error;
      const { value } = error;
      value.isAnchor = true;
      known.fill(undefined, value.number);
      traceable(value, fusion, known);
    }
  }
}
