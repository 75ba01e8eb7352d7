import type { FunctionWriter, ModuleWriter } from "./assembler.ts";
import * as i32 from "./opcodes/i32.ts";
import * as v128 from "./opcodes/v128.ts";
import { transpose } from "./transpose.ts";

/** The functions that {@link addPacking} writes, with the parameters `(from, to, count, k, rowStride, stride)`. */
export interface PackingFunctions {
  /** Rows in panels of four. */
  readonly rows: FunctionWriter;
  /** What are columns to others, in panels of eight. */
  readonly columns: FunctionWriter;
}

/**
 * Writes the functions that bring `count` rows of a matrix into panels, one behind the other: a panel has, for each
 * position of `k`, the elements of its rows side by side. Strides are in bytes.
 */
export function addPacking(module: ModuleWriter): PackingFunctions {
  const four = addPackRows(module);
  const sixteen = addPackLines(module);
  return {
    rows: addPackPanels(module, four, sixteen, 4),
    columns: addPackPanels(module, four, sixteen, 8),
  };
}

function addPackPanels(
  module: ModuleWriter,
  four: FunctionWriter,
  sixteen: FunctionWriter,
  width: 4 | 8,
): FunctionWriter {
  const f = module.function(Array(6).fill("i32"));
  const [from, to, count, k, rowStride, stride] = Array(6).keys();
  const [panel, place] = f.locals(2);
  const step = 4 * width;
  f.get(k).i32(step).op(i32.mul).set(panel);
  const next = f.loop();
  f.get(rowStride).i32(4).op(i32.eq).get(count).i32(16).op(i32.ge_s).op(i32.and).if();
  f.get(from).get(k).get(stride).i32(step);
  for (let i = 0; i < 16; i += width) {
    f.get(to).tee(place);
    if (width === 8) f.get(place).i32(16).op(i32.add);
    f.advance(to, panel);
  }
  f.call(sixteen.index);
  f.add(from, 64);
  f.add(count, -16);
  f.else();
  for (let i = 0; i < width; i += 4) {
    // A panel's part that lies beyond the last row stays as it is.
    f.get(count).i32(i).op(i32.gt_s).if();
    f.get(from)
      .get(to)
      .i32(4 * i)
      .op(i32.add)
      .get(k)
      .get(rowStride)
      .get(stride)
      .i32(step);
    f.get(count).i32(i).op(i32.sub).call(four.index);
    f.end();
    f.get(rowStride).i32(2).op(i32.shl).get(from).op(i32.add).set(from);
  }
  f.advance(to, panel);
  f.add(count, -width);
  f.end();
  f.get(count).i32(0).op(i32.gt_s).brIf(next).end();
  return f;
}

/**
 * Writes the function that brings four rows of a matrix into the order in which tiles read them: for each
 * position `p` of `k`, the four elements side by side,
 *
 *     to[p · step + 4 i] = from[i · rowStride + p · stride]     0 <= i < 4, 0 <= p < k
 *
 * with the parameters `(from, to, k, rowStride, stride, step, valid)`, all strides in bytes. Where there are fewer
 * than four rows, `valid` is their number and the others hold anything.
 */
function addPackRows(module: ModuleWriter): FunctionWriter {
  const f = module.function(Array(7).fill("i32"));
  const [from, to, k, rowStride, stride, step, valid] = Array(7).keys();
  const last = f.local();
  const rows = [from, f.local(), f.local(), f.local()];
  const v = [f.local("v128"), f.local("v128"), f.local("v128"), f.local("v128")];

  // Rows side by side: copy vectors. What is read beyond the last row is memory, if not the matrix.
  f.get(rowStride).i32(4).op(i32.eq).if();
  const copy = f.loop();
  f.get(to).get(from).load(v128.load).store(v128.store);
  f.advance(from, stride);
  f.advance(to, step);
  f.countDown(k, copy).end();
  f.return().end();

  // Missing rows repeat the last one.
  f.get(from).get(valid).i32(1).op(i32.sub).get(rowStride).op(i32.mul).op(i32.add).set(last);
  for (let i = 1; i < 4; i++) {
    f.get(rows[i - 1])
      .get(rowStride)
      .op(i32.add)
      .get(last);
    f.get(valid).i32(i).op(i32.gt_u).select().set(rows[i]);
  }

  // Contiguous rows: transpose blocks of 4×4.
  f.get(stride).i32(4).op(i32.eq).get(k).i32(4).op(i32.ge_u).op(i32.and).if();
  const block = f.loop();
  for (let i = 0; i < 4; i++) f.get(rows[i]).load(v128.load).set(v[i]);
  for (const push of transpose(f, v)) {
    f.get(to);
    push();
    f.store(v128.store);
    f.advance(to, step);
  }
  for (const row of rows) f.add(row, 16);
  f.addAndGet(k, -4).i32(4).op(i32.ge_u).brIf(block).end();
  f.end();

  f.get(k).if();
  const gather = f.loop();
  f.get(rows[0]).load(v128.load32_zero).set(v[0]);
  for (let i = 1; i < 4; i++) {
    f.get(rows[i]).get(v[0]).load(v128.load32_lane, 0, i).set(v[0]);
  }
  f.get(to).get(v[0]).store(v128.store);
  for (const row of rows) f.advance(row, stride);
  f.advance(to, step);
  f.countDown(k, gather).end();
  f.end();
  return f;
}

/**
 * Writes the function that does the same for sixteen rows side by side: it reads whole cache lines, which matters
 * where the next ones are so far away that lines do not stay in the cache until their rest is wanted.
 * The parameters are `(from, k, stride, step, to0, to1, to2, to3)`, with a place for each four rows.
 */
function addPackLines(module: ModuleWriter): FunctionWriter {
  const f = module.function(Array(8).fill("i32"));
  const [from, k, stride, step, ...to] = Array(8).keys();
  const next = f.loop();
  to.forEach((place, i) => {
    f.get(place)
      .get(from)
      .load(v128.load, 16 * i)
      .store(v128.store);
    f.advance(place, step);
  });
  f.advance(from, stride);
  f.countDown(k, next).end();
  return f;
}
