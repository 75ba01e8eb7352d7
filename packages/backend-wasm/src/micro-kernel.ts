import type { FunctionWriter, ModuleWriter } from "./assembler.ts";
import type { Features } from "./features.ts";
import * as f32x4 from "./opcodes/f32x4.ts";
import * as i32 from "./opcodes/i32.ts";
import * as v128 from "./opcodes/v128.ts";

/** Rows and columns of a tile: what V8 keeps in registers without spilling. */
export const tileRows = 4;
export const tileColumns = 8;
const termsPerTurn = 8;
/** Bytes from a term of a panel to the next. */
const panelStep = 4 * tileColumns;

/**
 * Writes the function that multiplies a block: columns of tiles, one beside the other. Its parameters are those of a column,
 * see {@link addTileColumn}, and the number of columns of b. The addresses are those of the first column.
 */
export function addTileBlock(module: ModuleWriter, features: Features): FunctionWriter {
  const narrow = addTileColumn(module, features, 1);
  const wide = features.wideSimd ? addTileColumn(module, features, 2) : undefined;
  const f = module.function(Array(columnParameters + 1).fill("i32"));
  const [b, c, bPanel, columns] = [1, 2, columnParameters - 1, columnParameters];
  const multiply = (column: FunctionWriter, panels: number): void => {
    for (let i = 0; i < columnParameters; i++) f.get(i);
    f.call(column.index);
    for (let i = 0; i < panels; i++) f.advance(b, bPanel);
    f.add(c, panelStep * panels);
    f.add(columns, -tileColumns * panels);
  };
  const next = f.loop();
  if (wide) {
    f.get(columns).i32(tileColumns).op(i32.gt_s).if();
    multiply(wide, 2);
    f.else();
  }
  multiply(narrow, 1);
  if (wide) f.end();
  f.get(columns).i32(0).op(i32.gt_s).brIf(next).end();
  return f;
}

const columnParameters = 12;

/**
 * Writes the innermost function of the matrix product: a column of tiles of 4×8, or 4×16, one below the other,
 *
 *     c[i, j] (+)= Σ_p a[i, p] · b[p, j]     0 <= i < 4 · tiles, 0 <= j < 8 · panels
 *
 * with the parameters `(a, b, c, k, aRow, aStep, bStep, cStep, tiles, aTile, accumulate, bPanel)`: addresses, then the
 * number of terms, bytes of a row of a, how far a step of `p` goes in a and in b, bytes of a row of c, number of tiles,
 * how far a tile goes in a, whether to add to what c holds, and how far the next eight columns of b are. Eight columns of b are
 * contiguous. Terms are added in the order of `p`, whatever the blocking around.
 *
 * A turn of the loop over `p` takes several terms, and may end after each of them: that ties the sums of a term to its place.
 * Else V8 would move all loads of a turn ahead of all sums, and spill registers. Processors take six instructions at a time,
 * and the sums of a term need four times that: what counts the terms is one comparison a term, and one sum a turn. A call is
 * one column of tiles, not more, because V8 moves to optimised code only between calls. Where rows of a lie side by side, as in a panel, one pointer does for
 * all, and where b is a panel its terms are at fixed distances: each makes some 5 %, and is a function of its own.
 *
 * @param panels - How many times eight columns a tile has. Two of them are 16 sums: V8 keeps those in registers only where it pairs
 *   vectors of 128 bits.
 */
function addTileColumn(module: ModuleWriter, features: Features, panels: number): FunctionWriter {
  const packed = addTiles(module, features, panels, 1);
  const special = addTiles(module, features, panels, 1, packed);
  return addTiles(module, features, panels, tileRows, special);
}

/**
 * For rows of a that one pointer or several go along.
 *
 * @param special - The function for what is more special; without it, b is a panel too.
 */
function addTiles(
  module: ModuleWriter,
  features: Features,
  panels: number,
  pointers: number,
  special?: FunctionWriter,
): FunctionWriter {
  const f = module.function(Array(columnParameters).fill("i32"));
  const [a, b, c, k, aRow, aStep, bStep, cStep, tiles, aTile, accumulate, bPanel] =
    Array(columnParameters).keys();
  const [n, row] = f.locals(2);
  const pa = f.locals(pointers);
  const pb = f.locals(panels);
  const s = f.local("v128");
  const width = 2 * panels;
  const vectors = f.locals(width, "v128");
  const sums = f.locals(width * tileRows, "v128");
  /** Pointers of a list that starts here, each so far behind the one before. */
  const startAt = (
    start: number,
    [first, ...others]: readonly number[],
    distance: number,
  ): void => {
    f.get(start).set(first);
    let last = first;
    for (const pointer of others) {
      f.get(last).get(distance).op(i32.add).set(pointer);
      last = pointer;
    }
  };

  const isPanel = !special;
  if (special) {
    if (pointers > 1) f.get(aRow).i32(4);
    else f.get(bStep).i32(panelStep);
    f.op(i32.eq).if();
    for (let i = 0; i < columnParameters; i++) f.get(i);
    f.call(special.index).return().end();
  }
  const nextTile = f.loop();
  startAt(a, pa, aRow);
  startAt(b, pb, bPanel);
  f.get(k).set(n);
  f.get(accumulate).if();
  f.get(c).set(row);
  sums.forEach((sum, i) => {
    f.get(row)
      .load(v128.load, 16 * (i % width))
      .set(sum);
    if (i % width === width - 1) f.advance(row, cStep);
  });
  f.else();
  for (const sum of sums) f.f32x4(0).set(sum);
  f.end();

  const lastTerm = f.block();
  const nextTerms = f.loop();
  for (let term = 1; term <= termsPerTurn; term++) {
    const at = isPanel ? panelStep * (term - 1) : 0;
    vectors.forEach((vector, i) => {
      f.get(pb[i >> 1])
        .load(v128.load, at + 16 * (i % 2))
        .set(vector);
    });
    sums.forEach((sum, i) => {
      const line = Math.floor(i / width);
      if (i % width === 0) {
        f.get(pa[line % pointers])
          .load(v128.load32_splat, pointers > 1 ? 0 : 4 * line)
          .set(s);
      }
      multiplyAdd(f, features, s, vectors[i % width], sum);
    });
    for (const pointer of pa) f.advance(pointer, aStep);
    if (!isPanel) for (const pointer of pb) f.advance(pointer, bStep);
    f.get(n).i32(term).op(i32.eq).brIf(lastTerm);
  }
  if (isPanel) for (const pointer of pb) f.add(pointer, panelStep * termsPerTurn);
  f.add(n, -termsPerTurn);
  f.br(nextTerms).end().end();

  sums.forEach((sum, i) => {
    f.get(c)
      .get(sum)
      .store(v128.store, 16 * (i % width));
    if (i % width === width - 1) f.advance(c, cStep);
  });
  f.advance(a, aTile);
  f.countDown(tiles, nextTile).end();
  return f;
}

/** `sum += x · y`, with one rounding where the host can. */
function multiplyAdd(
  f: FunctionWriter,
  features: Features,
  x: number,
  y: number,
  sum: number,
): void {
  if (features.relaxedSimd) {
    f.get(x).get(y).get(sum).op(f32x4.relaxed_madd).set(sum);
  } else {
    f.get(sum).get(x).get(y).op(f32x4.mul).op(f32x4.add).set(sum);
  }
}
