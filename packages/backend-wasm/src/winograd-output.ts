import type { FunctionWriter } from "./assembler.ts";
import type { Features } from "./features.ts";
import { epilogueParameters } from "./matmul-arguments.ts";
import { minimum } from "./matmul-core.ts";
import { compileEpilogue } from "./matmul-epilogue.ts";
import type { MatmulPlan } from "./matmul-plan.ts";
import * as i32 from "./opcodes/i32.ts";
import * as v128 from "./opcodes/v128.ts";
import type { LoopCode } from "./told-numbers.ts";
import { transpose } from "./transpose.ts";
import { layerBytes, type WinogradProduct } from "./winograd.ts";
import { patchSize, tileSize, Winograd } from "./winograd-transform.ts";

const [args, product, block, batch, i0, rows, j0, columns] = epilogueParameters.keys();

/** Bytes of a line of results in a thread's block: of all tiles side by side that a unit has. */
function lineBytes({ size }: WinogradProduct, { rowBlock }: MatmulPlan): number {
  return 4 * tileSize * Math.min(rowBlock, Math.ceil(size[1] / tileSize));
}

/** Bytes of a row of a thread's block. Not a multiple of a power of two. */
function rowBytes(winograd: WinogradProduct, plan: MatmulPlan): number {
  const { kind } = winograd;
  return 64 + (kind === "result" ? tileSize * lineBytes(winograd, plan) : 36 * plan.columnBlock);
}

/** Bytes of a thread's block. */
export function blockBytes(winograd: WinogradProduct, plan: MatmulPlan): number {
  const rows = winograd.kind === "result" ? plan.columnBlock : plan.rowBlock;
  return rows * rowBytes(winograd, plan);
}

/**
 * A module whose function `k` transforms the products of a block back, and runs the epilogue on what that gives. Its
 * parameters are those of `epilogueParameters`, with the products and a block in the place of a block and its stride.
 */
export function compileOutput(
  code: LoopCode,
  winograd: WinogradProduct,
  plan: MatmulPlan,
  features: Features,
): Uint8Array<ArrayBuffer> {
  return compileEpilogue(code, features, (f, epilogue) => {
    const write = winograd.kind === "result" ? writeResult : writeWeight;
    write(f, epilogue, winograd, plan, features);
  });
}

type WriteOutput = (
  f: FunctionWriter,
  epilogue: number,
  winograd: WinogradProduct,
  plan: MatmulPlan,
  features: Features,
) => void;

/** Writes the transform of four neighbours in the products' rows, from an address on. */
function writeBack(
  f: FunctionWriter,
  features: Features,
  layer: number,
  size: number,
  from: number,
  store: (i: number, j: number, push: () => void) => void,
): void {
  const row = f.locals(patchSize, "v128");
  const transform = new Winograd(f, features);
  transform.both(
    transform.gather(size),
    patchSize,
    (i) => {
      row.forEach((local, j) => {
        f.get(from)
          .load(v128.load, (i * patchSize + j) * layer)
          .set(local);
      });
      return row;
    },
    store,
  );
}

/** Rows are tiles, columns are channels: tiles side by side make lines of a picture. */
const writeResult: WriteOutput = (f, epilogue, winograd, plan, features) => {
  const { size } = winograd;
  const [height, width] = size;
  const [down, across] = size.map((length) => Math.ceil(length / tileSize));
  const line = lineBytes(winograd, plan);
  const row = rowBytes(winograd, plan);
  const [x, y, run, tile, left, from, to, at, wide, lines] = f.locals(10);
  f.get(i0).i32(across).op(i32.rem_u).set(x);
  f.get(i0).i32(across).op(i32.div_u).tee(y).i32(down).op(i32.div_u).set(batch);
  f.get(y).i32(down).op(i32.rem_u).set(y);
  const nextRun = f.loop();
  f.i32(across).get(x).op(i32.sub).set(run).smaller(run, rows).tee(run).set(tile);
  f.get(block).set(to);
  const nextTile = f.loop();
  f.get(product).set(from).get(to).set(at).get(columns).set(left);
  const nextChannels = f.loop();
  const results: number[][] = [];
  writeBack(f, features, layerBytes(winograd, plan)[2], tileSize, from, (i, j, push) => {
    const local = f.local("v128");
    push();
    f.set(local);
    results[i] ??= [];
    results[i][j] = local;
  });
  results.forEach((vectors, i) => {
    transpose(f, vectors).forEach((push, channel) => {
      f.get(at);
      push();
      f.store(v128.store, channel * row + i * line);
    });
  });
  f.add(from, 16);
  f.add(at, 4 * row);
  f.whileLeft(left, 4, nextChannels).end();
  f.add(product, 4 * plan.columnBlock);
  f.add(to, 4 * tileSize);
  f.countDown(tile, nextTile).end();

  // Each line of the pictures.
  f.get(run).i32(tileSize).op(i32.mul);
  f.i32(width).get(x).i32(tileSize).op(i32.mul).op(i32.sub);
  minimum(f, wide);
  f.i32(tileSize);
  f.i32(height).get(y).i32(tileSize).op(i32.mul).op(i32.sub);
  minimum(f, lines);
  f.get(block).set(to);
  f.get(y)
    .i32(tileSize * width)
    .op(i32.mul);
  f.get(x).i32(tileSize).op(i32.mul).op(i32.add).set(at);
  const nextLine = f.loop();
  f.get(args).get(to).i32(row).get(batch).get(j0).get(columns).get(at).get(wide).call(epilogue);
  f.add(to, line);
  f.add(at, width);
  f.countDown(lines, nextLine).end();

  f.i32(0).set(x);
  f.addAndGet(y, 1).i32(down).op(i32.eq).if();
  f.i32(0).set(y);
  f.add(batch, 1).end();
  f.get(rows).get(run).op(i32.sub).tee(rows).brIf(nextRun).end();
};

/** Rows and columns are channels; the taps of each pair lie side by side. */
const writeWeight: WriteOutput = (f, epilogue, winograd, plan, features) => {
  const row = rowBytes(winograd, plan);
  const [left, rest, from, at, to] = f.locals(5);
  const tap = f.local("v128");
  f.get(rows).set(left).get(block).set(to);
  const nextRow = f.loop();
  f.get(product).set(from).get(to).set(at).get(columns).set(rest);
  const nextChannels = f.loop();
  writeBack(f, features, layerBytes(winograd, plan)[2], 3, from, (i, j, push) => {
    push();
    f.set(tap);
    for (let lane = 0; lane < 4; lane++) {
      f.get(at)
        .get(tap)
        .store(v128.store32_lane, 36 * lane + 4 * (3 * i + j), lane);
    }
  });
  f.add(from, 16);
  f.add(at, 144);
  f.whileLeft(rest, 4, nextChannels).end();
  f.add(product, 4 * plan.columnBlock);
  f.add(to, row);
  f.countDown(left, nextRow).end();
  f.get(args).get(block).i32(row).get(batch).get(i0).get(rows);
  f.get(j0).i32(9).op(i32.mul).get(columns).i32(9).op(i32.mul).call(epilogue);
};
