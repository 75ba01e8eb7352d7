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
 * Writes the innermost function of the matrix product: a column of 4×8 tiles, one below the other,
 *
 *     c[i, j] (+)= Σ_p a[i, p] · b[p, j]     0 <= i < 4 · tiles, 0 <= j < 8
 *
 * with the parameters `(a, b, c, k, aRow, aStep, bStep, cStep, tiles, aTile, accumulate)`: addresses, then the
 * number of terms, bytes of a row of a, how far a step of `p` goes in a and in b, bytes of a row of c, number of tiles,
 * how far a tile goes in a, and whether to add to what c holds. The eight columns of b are contiguous. Terms are added
 * in the order of `p`, whatever the blocking around.
 *
 * A turn of the loop over `p` takes several terms, and may end after each of them: that ties the sums of a term to its place.
 * Else V8 would move all loads of a turn ahead of all sums, and spill registers. Processors take six instructions at a time,
 * and the sums of a term need four times that: what counts the terms is one comparison a term, and one sum a turn. A call is
 * one column of tiles, not more, because V8 moves to optimised code only between calls. Where rows of a lie side by side, as in a panel, one pointer does for
 * all, and where b is a panel its terms are at fixed distances: each makes some 5 %, and is a function of its own.
 */
export function addTileColumn(module: ModuleWriter, features: Features): FunctionWriter {
  const panels = addTiles(module, features, 1);
  return addTiles(module, features, tileRows, addTiles(module, features, 1, panels));
}

/**
 * For rows of a that one pointer or several go along.
 *
 * @param special - The function for what is more special; without it, b is a panel too.
 */
function addTiles(
  module: ModuleWriter,
  features: Features,
  pointers: number,
  special?: FunctionWriter,
): FunctionWriter {
  const f = module.function(Array(11).fill("i32"));
  const [a, b, c, k, aRow, aStep, bStep, cStep, tiles, aTile, accumulate] = Array(11).keys();
  const [pb, n, row] = f.locals(3);
  const pa = f.locals(pointers);
  const [b0, b1, s] = f.locals(3, "v128");
  const sums = f.locals(2 * tileRows, "v128");

  const isPanel = !special;
  if (special) {
    if (pointers > 1) f.get(aRow).i32(4);
    else f.get(bStep).i32(panelStep);
    f.op(i32.eq).if();
    for (let i = 0; i < 11; i++) f.get(i);
    f.call(special.index).return().end();
  }
  const nextTile = f.loop();
  f.get(a).set(pa[0]).get(b).set(pb).get(k).set(n);
  for (let i = 1; i < pa.length; i++) {
    f.get(pa[i - 1])
      .get(aRow)
      .op(i32.add)
      .set(pa[i]);
  }
  f.get(accumulate).if();
  f.get(c).set(row);
  for (let i = 0; i < tileRows; i++) {
    f.get(row)
      .load(v128.load, 0)
      .set(sums[2 * i]);
    f.get(row)
      .load(v128.load, 16)
      .set(sums[2 * i + 1]);
    f.advance(row, cStep);
  }
  f.else();
  for (const sum of sums) f.f32x4(0).set(sum);
  f.end();

  const lastTerm = f.block();
  const nextTerms = f.loop();
  for (let term = 1; term <= termsPerTurn; term++) {
    const at = isPanel ? panelStep * (term - 1) : 0;
    f.get(pb).load(v128.load, at).set(b0);
    f.get(pb)
      .load(v128.load, at + 16)
      .set(b1);
    for (let i = 0; i < tileRows; i++) {
      f.get(pa[i % pointers])
        .load(v128.load32_splat, pointers > 1 ? 0 : 4 * i)
        .set(s);
      multiplyAdd(f, features, s, b0, sums[2 * i]);
      multiplyAdd(f, features, s, b1, sums[2 * i + 1]);
    }
    for (const pointer of pa) f.advance(pointer, aStep);
    if (!isPanel) f.advance(pb, bStep);
    f.get(n).i32(term).op(i32.eq).brIf(lastTerm);
  }
  if (isPanel) f.add(pb, panelStep * termsPerTurn);
  f.add(n, -termsPerTurn);
  f.br(nextTerms).end().end();

  for (let i = 0; i < tileRows; i++) {
    f.get(c)
      .get(sums[2 * i])
      .store(v128.store, 0);
    f.get(c)
      .get(sums[2 * i + 1])
      .store(v128.store, 16);
    f.advance(c, cStep);
  }
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
