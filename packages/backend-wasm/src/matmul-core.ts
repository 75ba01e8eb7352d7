import type { FunctionWriter, ModuleWriter, ValueType } from "./assembler.ts";
import type { Features } from "./features.ts";
import { addTileColumn, tileColumns, tileRows } from "./micro-kernel.ts";
import { addPackLines, addPackRows } from "./packing.ts";

/**
 * What the functions of the matrix product find at the address in their first argument: words of 32 bits.
 * Strides are in bytes, blocks in rows and columns.
 */
const fields = [
  "a", // addresses
  "b",
  "c", // the output, if the epilogue is to store the product as it is
  "m",
  "n",
  "k",
  "aRow", // strides
  "aColumn",
  "bRow",
  "bColumn",
  "cRow", // 0: there is an epilogue
  "rowBlock", // a unit of work is a block of so many rows and columns
  "columnBlock",
  "termBlock", // and goes through `k` in steps of so many
  "rowBlocks",
  "columnBlocks",
  "batches", // a table of offsets, see `batchFields`
  "matrices", // for each of the different matrices b: bytes from the start of b
  "packedA", // this thread's memory for a block of rows, or 0: a's columns are contiguous
  "packedB", // b in panels of eight columns, or 0: b's rows are contiguous
  "block", // this thread's memory for a block of the product
  "blockRow", // its stride
  "epilogue", // position in the table of functions
  "arguments", // the epilogue's argument block
] as const;

/** A word of the argument block of a matrix product. */
export type MatmulField = (typeof fields)[number];

/** Bytes of the argument block of a matrix product, a multiple of 16. */
export const matmulArgumentBytes: number = Math.ceil(fields.length / 4) * 16;

/** Where a field is, in bytes. */
export function matmulField(name: MatmulField): number {
  return fields.indexOf(name) * 4;
}

/**
 * For each matrix of the batch, bytes from the start of a and b, in which of the packed matrices b is, and
 * bytes from the start of c.
 */
export const batchFields = 4;

/** Parameters of an epilogue: arguments, block, its stride, batch, first row, rows, first column, columns. */
export const epilogueParameters: readonly ValueType[] = Array(8).fill("i32");

/** The functions that {@link addMatmul} writes. */
export interface MatmulFunctions {
  /** `(arguments, begin, end)`: blocks of the product, for all matrices of the batch. */
  readonly blocks: FunctionWriter;
  /** `(arguments, begin, end)`: panels of b, for all different matrices b. */
  readonly panels: FunctionWriter;
}

/** Writes the matrix product for any sizes and strides. The module has a table with the epilogues. */
export function addMatmul(module: ModuleWriter, features: Features): MatmulFunctions {
  const tileColumn = addTileColumn(module, features);
  const packRows = addPackRows(module);
  const packLines = addPackLines(module);
  const copyBlock = addCopyBlock(module);
  return {
    blocks: addBlocks(module, tileColumn, packRows, packLines, copyBlock),
    panels: addPanels(module, packRows, packLines),
  };
}

/** Blocks of the product: packs rows of a, goes through the panels of b, then runs the epilogue. */
function addBlocks(
  module: ModuleWriter,
  tileColumn: FunctionWriter,
  packRows: FunctionWriter,
  packLines: FunctionWriter,
  copyBlock: FunctionWriter,
): FunctionWriter {
  const f = module.function(["i32", "i32", "i32"]);
  const [args, unit, end] = [0, 1, 2];
  const field = (name: MatmulField): FunctionWriter =>
    f.get(args).load("i32.load", matmulField(name));
  const local = (): number => f.local("i32");
  const [batch, entry, i0, rows, j0, columns, tiles] = [
    local(),
    local(),
    local(),
    local(),
    local(),
    local(),
    local(),
  ];
  const [to, toRow, p0, terms, a, aStep, aTile, b, bStep, bPanel, c, left, direct] = [
    local(),
    local(),
    local(),
    local(),
    local(),
    local(),
    local(),
    local(),
    local(),
    local(),
    local(),
    local(),
    local(),
  ];

  const nextUnit = f.loop();
  // unit = (batch · rowBlocks + row block) · columnBlocks + column block
  f.get(unit);
  field("columnBlocks").op("i32.rem_u");
  field("columnBlock").op("i32.mul").set(j0);
  f.get(unit);
  field("columnBlocks").op("i32.div_u").tee(i0);
  field("rowBlocks").op("i32.div_u").set(batch);
  f.get(i0);
  field("rowBlocks").op("i32.rem_u");
  field("rowBlock").op("i32.mul").set(i0);
  field("batches")
    .get(batch)
    .i32(batchFields * 4)
    .op("i32.mul")
    .op("i32.add")
    .set(entry);
  field("rowBlock");
  field("m").get(i0).op("i32.sub");
  minimum(f, rows);
  field("columnBlock");
  field("n").get(j0).op("i32.sub");
  minimum(f, columns);
  f.get(rows)
    .i32(tileRows - 1)
    .op("i32.add")
    .i32(2)
    .op("i32.shr_u")
    .set(tiles);

  // Whole tiles go straight to the output if it takes the product as it is.
  field("cRow").i32(0).op("i32.ne");
  f.get(rows)
    .i32(tileRows - 1)
    .op("i32.and")
    .op("i32.eqz")
    .op("i32.and");
  f.get(columns)
    .i32(tileColumns - 1)
    .op("i32.and")
    .op("i32.eqz")
    .op("i32.and");
  f.tee(direct).if();
  field("cRow").set(toRow);
  output(f, field, entry, i0, j0).set(to);
  f.else();
  field("blockRow").set(toRow);
  field("block").set(to);
  f.end();

  f.i32(0).set(p0);
  const nextTerms = f.loop();
  field("termBlock");
  field("k").get(p0).op("i32.sub");
  minimum(f, terms);

  // a: the first row and term of the block, then packed if its columns are not contiguous.
  field("a").get(entry).load("i32.load", 0).op("i32.add");
  f.get(i0);
  field("aRow").op("i32.mul").op("i32.add");
  f.get(p0);
  field("aColumn").tee(aStep).op("i32.mul").op("i32.add").set(a);
  f.i32(16).set(aTile);
  field("packedA").if();
  f.i32(16).set(aStep).get(terms).i32(4).op("i32.shl").set(aTile);
  field("packedA").set(c);
  f.get(rows).set(left);
  const nextRows = f.loop();
  field("aRow").i32(4).op("i32.eq").get(left).i32(16).op("i32.ge_s").op("i32.and").if();
  f.get(a).get(terms);
  field("aColumn").i32(16).get(c);
  for (let i = 1; i < 4; i++) f.get(c).get(aTile).op("i32.add").tee(c);
  f.call(packLines.index);
  f.get(a).i32(64).op("i32.add").set(a);
  f.get(left).i32(16).op("i32.sub").set(left);
  f.else();
  f.get(a).get(c).get(terms);
  field("aRow");
  field("aColumn").i32(16).get(left).call(packRows.index);
  field("aRow").i32(2).op("i32.shl").get(a).op("i32.add").set(a);
  f.get(left).i32(tileRows).op("i32.sub").set(left);
  f.end();
  f.get(c).get(aTile).op("i32.add").set(c);
  f.get(left).i32(0).op("i32.gt_s").brIf(nextRows).end();
  field("packedA").set(a);
  f.end();

  // b: the panel at column j0 and term p0.
  field("packedB").if();
  field("packedB").get(entry).load("i32.load", 8).op("i32.add");
  f.get(j0);
  field("k").tee(bPanel).op("i32.mul").i32(2).op("i32.shl").op("i32.add");
  f.get(p0).i32(5).op("i32.shl").op("i32.add").set(b);
  f.i32(32).set(bStep).get(bPanel).i32(5).op("i32.shl").set(bPanel);
  f.else();
  field("b").get(entry).load("i32.load", 4).op("i32.add");
  f.get(p0);
  field("bRow").tee(bStep).op("i32.mul").op("i32.add");
  f.get(j0).i32(2).op("i32.shl").op("i32.add").set(b);
  f.i32(32).set(bPanel);
  f.end();

  f.get(to).set(c).get(columns).set(left);
  const nextPanel = f.loop();
  f.get(a).get(b).get(c).get(terms).get(aStep).get(bStep).get(toRow).get(tiles).get(aTile).get(p0);
  f.call(tileColumn.index);
  f.get(b).get(bPanel).op("i32.add").set(b);
  f.get(c).i32(32).op("i32.add").set(c);
  f.get(left).i32(tileColumns).op("i32.sub").tee(left).i32(0).op("i32.gt_s").brIf(nextPanel).end();

  f.get(p0).get(terms).op("i32.add").tee(p0);
  field("k").op("i32.lt_u").brIf(nextTerms).end();

  f.get(direct).op("i32.eqz").if();
  field("cRow").if();
  f.get(to).get(toRow);
  output(f, field, entry, i0, j0);
  field("cRow").get(rows).get(columns).call(copyBlock.index);
  f.else();
  field("arguments").get(to).get(toRow).get(batch).get(i0).get(rows).get(j0).get(columns);
  field("epilogue").callIndirect(module.type(epilogueParameters, []));
  f.end();
  f.end();

  f.get(unit).i32(1).op("i32.add").tee(unit).get(end).op("i32.lt_u").brIf(nextUnit).end();
  return f;
}

/** Leaves the address of the output's element (i0, j0) on the stack. */
function output(
  f: FunctionWriter,
  field: (name: MatmulField) => FunctionWriter,
  entry: number,
  i0: number,
  j0: number,
): FunctionWriter {
  field("c").get(entry).load("i32.load", 12).op("i32.add");
  f.get(i0);
  field("cRow").op("i32.mul").op("i32.add");
  return f.get(j0).i32(2).op("i32.shl").op("i32.add");
}

/** Sets a local to the lower of the two numbers on the stack. */
function minimum(f: FunctionWriter, to: number): void {
  const other = f.local("i32");
  f.set(other).tee(to).get(other).get(to).get(other).op("i32.lt_u").op("select").set(to);
}

/** Panels of b. Unit: (which of the different matrices · panels + panel). */
function addPanels(
  module: ModuleWriter,
  packRows: FunctionWriter,
  packLines: FunctionWriter,
): FunctionWriter {
  const f = module.function(["i32", "i32", "i32"]);
  const [args, unit, end] = [0, 1, 2];
  const field = (name: MatmulField): FunctionWriter =>
    f.get(args).load("i32.load", matmulField(name));
  const from = f.local("i32");
  const to = f.local("i32");
  const j0 = f.local("i32");
  const panels = f.local("i32");
  const left = f.local("i32");

  field("n")
    .i32(tileColumns - 1)
    .op("i32.add")
    .i32(3)
    .op("i32.shr_u")
    .set(panels);
  const nextUnit = f.loop();
  f.get(unit).get(panels).op("i32.rem_u").i32(3).op("i32.shl").set(j0);
  field("b");
  field("matrices").get(unit).get(panels).op("i32.div_u").i32(2).op("i32.shl").op("i32.add");
  f.load("i32.load").op("i32.add").get(j0);
  field("bColumn").op("i32.mul").op("i32.add").set(from);
  field("packedB").get(unit);
  field("k").op("i32.mul").i32(5).op("i32.shl").op("i32.add").set(to);
  field("n").get(j0).op("i32.sub").set(left);
  field("bColumn").i32(4).op("i32.eq").get(left).i32(16).op("i32.ge_s").op("i32.and");
  f.get(end).get(unit).op("i32.sub").i32(2).op("i32.ge_u").op("i32.and").if();
  // Two panels at once.
  f.get(from);
  field("k").tee(left);
  field("bRow").i32(32).get(to).get(to).i32(16).op("i32.add");
  f.get(left).i32(5).op("i32.shl").get(to).op("i32.add").tee(to);
  f.get(to).i32(16).op("i32.add").call(packLines.index);
  f.get(unit).i32(1).op("i32.add").set(unit);
  f.else();
  for (const half of [0, 1]) {
    f.get(from).get(to);
    field("k");
    field("bColumn");
    field("bRow").i32(32).get(left).call(packRows.index);
    if (half === 1) break;
    // A panel's second half that lies beyond b stays as it is.
    f.get(left).i32(4).op("i32.sub").tee(left).i32(0).op("i32.gt_s").if();
    f.get(to).i32(16).op("i32.add").set(to).get(from);
    field("bColumn").i32(2).op("i32.shl").op("i32.add").set(from);
  }
  f.end().end();
  f.get(unit).i32(1).op("i32.add").tee(unit).get(end).op("i32.lt_u").brIf(nextUnit).end();
  return f;
}

/** Copies rows: `(from, fromRow, to, toRow, rows, columns)`, strides in bytes. */
function addCopyBlock(module: ModuleWriter): FunctionWriter {
  const f = module.function(Array(6).fill("i32"));
  const [from, fromRow, to, toRow, rows, columns] = Array(6).keys();
  const nextRow = f.loop();
  f.get(to).get(from).get(columns).i32(2).op("i32.shl").op("memory.copy", 0, 0);
  f.get(from).get(fromRow).op("i32.add").set(from);
  f.get(to).get(toRow).op("i32.add").set(to);
  f.get(rows).i32(1).op("i32.sub").tee(rows).brIf(nextRow).end();
  return f;
}
