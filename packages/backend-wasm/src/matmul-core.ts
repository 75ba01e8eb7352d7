import type { FunctionWriter, ModuleWriter } from "./assembler.ts";
import type { Features } from "./features.ts";
import { batchFields, epilogueParameters, matrixFields } from "./matmul-arguments.ts";
import * as word from "./matmul-words.ts";
import { addTileBlock, tileColumns, tileRows } from "./micro-kernel.ts";
import * as i32 from "./opcodes/i32.ts";
import * as memory from "./opcodes/memory.ts";
import { addPacking, type PackingFunctions } from "./packing.ts";
import { packingParameters } from "./window-packing.ts";
import { addPatches } from "./winograd-core.ts";

/** The functions that {@link addMatmul} writes. */
export interface MatmulFunctions {
  /** `(arguments, begin, end)`: blocks of the product, for all matrices of the batch. */
  readonly blocks: FunctionWriter;
  /** `(arguments, begin, end)`: panels of b, for all different matrices b. */
  readonly panels: FunctionWriter;
  /** `(arguments, begin, end)`: blocks of a product for each element of transformed patches. */
  readonly patches: FunctionWriter;
}

/** Writes the matrix product for any sizes and strides. The module has a table with the epilogues. */
export function addMatmul(module: ModuleWriter, features: Features): MatmulFunctions {
  const tileBlock = addTileBlock(module, features);
  const packing = addPacking(module);
  const copyBlock = addCopyBlock(module);
  const clearBlock = addClearBlock(module);
  return {
    blocks: addBlocks(module, tileBlock, packing, copyBlock, clearBlock),
    panels: addPanels(module, packing),
    patches: addPatches(module, tileBlock),
  };
}

/**
 * Blocks of the product: packs rows of a, and what it needs of b unless that has been done before, multiplies, then runs
 * the epilogue. What is packed serves the blocks that follow in the same call.
 */
function addBlocks(
  module: ModuleWriter,
  tileBlock: FunctionWriter,
  packing: PackingFunctions,
  copyBlock: FunctionWriter,
  clearBlock: FunctionWriter,
): FunctionWriter {
  const f = module.function(["i32", "i32", "i32"]);
  const [args, unit, end] = [0, 1, 2];
  const field = (at: number): FunctionWriter => f.get(args).load(i32.load, at);
  const [batch, entry, i0, rows, j0, columns, tiles, to, toRow, p0, first, last, terms] =
    f.locals(13);
  const [a, aRow, aStep, aTile, b, bStep, bPanel, direct] = f.locals(8);
  const guards = f.local();
  const packedA = f.locals(6);
  const packedB = f.locals(6);

  const nextUnit = f.loop();
  const noUnit = f.block();
  takeUnit(f, field, unit, [batch, entry, i0, rows, j0, columns, tiles], () => {
    f.i32(0).set(first);
    field(word.k).set(last);
    field(word.bounds).if();
    findGroup(f, field, [unit, batch, i0, rows, first, last], noUnit);
    f.end();
  });

  // Whole tiles go straight to the output if it takes the product as it is.
  field(word.cRow).i32(0).op(i32.ne);
  f.get(rows).i32(tileRows - 1);
  f.op(i32.and).op(i32.eqz).op(i32.and);
  f.get(columns).i32(tileColumns - 1);
  f.op(i32.and).op(i32.eqz).op(i32.and);
  f.tee(direct).if();
  field(word.cRow).set(toRow);
  output(f, field, entry, i0, j0).set(to);
  f.else();
  field(word.blockRow).set(toRow);
  field(word.block).set(to);
  f.end();

  f.get(first).tee(p0).get(last).op(i32.ge_u).if();
  f.get(to).get(toRow).get(rows).get(columns).call(clearBlock.index);
  f.else();
  const nextTerms = f.loop();
  field(word.termBlock).get(last).get(p0).op(i32.sub);
  minimum(f, terms);

  // a: the first row and term of the block, as it is or packed.
  field(word.a).get(entry).load(i32.load, 0).op(i32.add);
  f.get(i0);
  field(word.aRow).tee(aRow).op(i32.mul).op(i32.add);
  f.get(p0);
  field(word.aColumn).tee(aStep).op(i32.mul).op(i32.add).set(a);
  f.get(aRow).i32(2).op(i32.shl).set(aTile);
  field(word.packedA).if();
  f.get(entry).load(i32.load, 16).set(guards);
  unlessSame(f, packedA, [a, i0, rows, p0, terms, guards], () => {
    field(word.windowsA).if();
    f.get(a);
    field(word.packedA).get(i0).get(rows).get(p0).get(terms).get(guards);
    field(word.windowsA).callIndirect(module.type(packingParameters, []));
    f.else().get(a);
    field(word.packedA).get(rows).get(terms);
    field(word.aRow);
    field(word.aColumn).call(packing.rows.index).end();
  });
  field(word.packedA).set(a);
  f.i32(4).set(aRow).i32(16).set(aStep).get(terms).i32(4).op(i32.shl).set(aTile);
  f.end();

  // b: the panel at column j0 and term p0.
  f.i32(32).set(bStep);
  field(word.panels).if();
  field(word.panels).get(entry).load(i32.load, 8).op(i32.add);
  f.get(j0);
  field(word.k).tee(bPanel).op(i32.mul).i32(2).op(i32.shl).op(i32.add);
  f.get(p0).i32(5).op(i32.shl).op(i32.add).set(b);
  f.get(bPanel).i32(5).op(i32.shl).set(bPanel);
  f.else();
  field(word.b).get(entry).load(i32.load, 4).op(i32.add);
  f.get(p0);
  field(word.bRow).op(i32.mul).op(i32.add);
  f.get(j0);
  field(word.bColumn).op(i32.mul).op(i32.add).set(b);
  field(word.packedB).if();
  f.get(entry).load(i32.load, 20).set(guards);
  unlessSame(f, packedB, [b, j0, columns, p0, terms, guards], () => {
    field(word.windowsB).if();
    f.get(b);
    field(word.packedB).get(j0).get(columns).get(p0).get(terms).get(guards);
    field(word.windowsB).callIndirect(module.type(packingParameters, []));
    f.else().get(b);
    field(word.packedB).get(columns).get(terms);
    field(word.bColumn);
    field(word.bRow).call(packing.columns.index).end();
  });
  field(word.packedB).set(b);
  f.get(terms).i32(5).op(i32.shl).set(bPanel);
  f.else();
  field(word.bRow).set(bStep);
  f.i32(32).set(bPanel);
  f.end().end();

  f.get(a).get(b).get(to).get(terms).get(aRow).get(aStep).get(bStep).get(toRow).get(tiles);
  f.get(aTile).get(p0).get(first).op(i32.sub).get(bPanel).get(columns).call(tileBlock.index);

  f.get(p0).get(terms).op(i32.add).tee(p0).get(last).op(i32.lt_u).brIf(nextTerms).end();
  f.end();

  f.get(direct).op(i32.eqz).if();
  field(word.cRow).if();
  f.get(to).get(toRow);
  output(f, field, entry, i0, j0);
  field(word.cRow).get(rows).get(columns).call(copyBlock.index);
  f.else();
  field(word.epilogueArguments)
    .get(to)
    .get(toRow)
    .get(batch)
    .get(i0)
    .get(rows)
    .get(j0)
    .get(columns);
  field(word.epilogue).callIndirect(module.type(epilogueParameters, []));
  f.end();
  f.end();
  f.end();

  f.addAndGet(unit, 1).get(end).op(i32.lt_u).brIf(nextUnit).end();
  return f;
}

/** Sets what a unit of work is about: a matrix of the batch, rows and columns. `find` may change the matrix and the rows. */
export function takeUnit(
  f: FunctionWriter,
  field: (at: number) => FunctionWriter,
  unit: number,
  [batch, entry, i0, rows, j0, columns, tiles]: UnitLocals,
  find?: () => void,
): void {
  // unit = (batch · rowBlocks + row block) · columnBlocks + column block
  f.get(unit);
  field(word.columnBlocks).op(i32.rem_u);
  field(word.columnBlock).op(i32.mul).set(j0);
  f.get(unit);
  field(word.columnBlocks).op(i32.div_u).tee(i0);
  field(word.rowBlocks).op(i32.div_u).set(batch);
  f.get(i0);
  field(word.rowBlocks).op(i32.rem_u);
  field(word.rowBlock).op(i32.mul).set(i0);
  field(word.rowBlock);
  field(word.m).get(i0).op(i32.sub);
  minimum(f, rows);
  find?.();
  field(word.batches).get(batch);
  f.i32(batchFields * 4).op(i32.mul);
  f.op(i32.add).set(entry);
  field(word.columnBlock);
  field(word.n).get(j0).op(i32.sub);
  minimum(f, columns);
  f.get(rows).i32(tileRows - 1);
  f.op(i32.add).i32(2).op(i32.shr_u).set(tiles);
}

type UnitLocals = readonly [
  batch: number,
  entry: number,
  i0: number,
  rows: number,
  j0: number,
  columns: number,
  tiles: number,
];

/**
 * Finds the rows and terms of a block where there are groups. Where those are of rows, blocks are counted from group to group;
 * what is behind the last one is a group without terms. There are fewer blocks than units, as most groups end with a smaller one.
 */
function findGroup(
  f: FunctionWriter,
  field: (at: number) => FunctionWriter,
  [unit, batch, i0, rows, first, last]: GroupLocals,
  noUnit: number,
): void {
  const [groups, count, blocks, tiles, end] = f.locals(5);
  const bound = (next: number): FunctionWriter => {
    field(word.bounds).get(batch).i32(2).op(i32.shl).op(i32.add);
    return f.load(i32.load, 4 * next);
  };
  field(word.rowGroups).tee(groups).op(i32.eqz).if();
  bound(0).set(first);
  bound(1).set(last);
  f.else().get(unit);
  field(word.columnBlocks).op(i32.div_u).set(count);
  const nextGroup = f.loop();
  bound(0).set(i0);
  f.get(batch).get(groups).op(i32.eq).if("i32");
  field(word.m).else();
  bound(1).end().tee(end).get(i0).op(i32.sub);
  f.i32(tileRows - 1)
    .op(i32.add)
    .i32(2)
    .op(i32.shr_u)
    .tee(tiles);
  field(word.rowBlock).i32(2).op(i32.shr_u).tee(rows);
  f.op(i32.add).i32(1).op(i32.sub).get(rows).op(i32.div_u).tee(blocks);
  f.get(count).op(i32.le_u).if();
  f.get(count).get(blocks).op(i32.sub).set(count);
  f.addAndGet(batch, 1).get(groups).op(i32.gt_u).brIf(noUnit);
  f.br(nextGroup).end().end();
  // Blocks of a group are of one height, in tiles.
  f.get(tiles).get(blocks).op(i32.add).i32(1).op(i32.sub).get(blocks).op(i32.div_u);
  f.i32(2).op(i32.shl).tee(rows).get(count).op(i32.mul).get(i0).op(i32.add).set(i0);
  f.get(rows).get(end).get(i0).op(i32.sub);
  minimum(f, rows);
  f.get(batch).get(groups).op(i32.eq).if();
  f.i32(0).set(last).get(batch).i32(1).op(i32.sub).set(batch).end();
  f.end();
}

type GroupLocals = readonly [
  unit: number,
  batch: number,
  i0: number,
  rows: number,
  first: number,
  last: number,
];

/** Does something unless these locals are what they were the last time, which is kept in others. */
export function unlessSame(
  f: FunctionWriter,
  kept: readonly number[],
  present: readonly number[],
  write: () => void,
): void {
  f.i32(0);
  present.forEach((local, i) => {
    f.get(local).get(kept[i]).op(i32.xor).op(i32.or);
  });
  f.if();
  present.forEach((local, i) => {
    f.get(local).set(kept[i]);
  });
  write();
  f.end();
}

/** Leaves the address of the output's element (i0, j0) on the stack. */
function output(
  f: FunctionWriter,
  field: (at: number) => FunctionWriter,
  entry: number,
  i0: number,
  j0: number,
): FunctionWriter {
  field(word.c).get(entry).load(i32.load, 12).op(i32.add);
  f.get(i0);
  field(word.cRow).op(i32.mul).op(i32.add);
  return f.get(j0).i32(2).op(i32.shl).op(i32.add);
}

/** Sets a local to the lower of the two numbers on the stack. */
export function minimum(f: FunctionWriter, to: number): void {
  const other = f.local();
  f.set(other).set(to).smaller(to, other).set(to);
}

/** Panels of b. Unit: which of the different matrices · panels + panel. */
function addPanels(module: ModuleWriter, packing: PackingFunctions): FunctionWriter {
  const f = module.function(["i32", "i32", "i32"]);
  const [args, unit, end] = [0, 1, 2];
  const field = (at: number): FunctionWriter => f.get(args).load(i32.load, at);
  const [panels, panel, count, columns, j0, matrix, b, to] = f.locals(8);

  field(word.n).i32(tileColumns - 1);
  f.op(i32.add).i32(3).op(i32.shr_u).set(panels);
  const next = f.loop();
  // As many panels of the same matrix as there are.
  f.get(unit).get(panels).op(i32.rem_u).set(panel);
  f.get(end).get(unit).op(i32.sub).get(panels).get(panel).op(i32.sub);
  minimum(f, count);
  f.get(count).i32(3).op(i32.shl);
  f.get(panel).i32(3).op(i32.shl).set(j0);
  field(word.n).get(j0).op(i32.sub);
  minimum(f, columns);
  field(word.matrices).get(unit).get(panels).op(i32.div_u);
  f.i32(matrixFields * 4).op(i32.mul);
  f.op(i32.add).set(matrix);
  field(word.b).get(matrix).load(i32.load, 0).op(i32.add).get(j0);
  field(word.bColumn).op(i32.mul).op(i32.add);
  field(word.panels).get(unit);
  field(word.k).op(i32.mul).i32(5).op(i32.shl).op(i32.add).set(to).set(b);
  field(word.windowsB).if();
  f.get(b).get(to).get(j0).get(columns).i32(0);
  field(word.k).get(matrix).load(i32.load, 4);
  field(word.windowsB).callIndirect(module.type(packingParameters, []));
  f.else().get(b).get(to).get(columns);
  field(word.k);
  field(word.bColumn);
  field(word.bRow).call(packing.columns.index).end();
  f.get(unit).get(count).op(i32.add).tee(unit).get(end).op(i32.lt_u).brIf(next).end();
  return f;
}

/** Copies rows: `(from, fromRow, to, toRow, rows, columns)`, strides in bytes. */
function addCopyBlock(module: ModuleWriter): FunctionWriter {
  const f = module.function(Array(6).fill("i32"));
  const [from, fromRow, to, toRow, rows, columns] = Array(6).keys();
  const nextRow = f.loop();
  f.get(to).get(from).get(columns).i32(2).op(i32.shl).op(memory.copy, 0, 0);
  f.advance(from, fromRow);
  f.advance(to, toRow);
  f.countDown(rows, nextRow).end();
  return f;
}

/** Sets rows to 0: `(to, toRow, rows, columns)`, the stride in bytes. */
function addClearBlock(module: ModuleWriter): FunctionWriter {
  const f = module.function(Array(4).fill("i32"));
  const [to, toRow, rows, columns] = Array(4).keys();
  const nextRow = f.loop();
  f.get(to).i32(0).get(columns).i32(2).op(i32.shl).op(memory.fill, 0);
  f.advance(to, toRow);
  f.countDown(rows, nextRow).end();
  return f;
}
