import type { FunctionWriter, ModuleWriter } from "./assembler.ts";
import { epilogueParameters } from "./matmul-arguments.ts";
import { minimum, takeUnit, unlessSame } from "./matmul-core.ts";
import * as word from "./matmul-words.ts";
import * as i32 from "./opcodes/i32.ts";
import { packingParameters } from "./window-packing.ts";
import { layers } from "./winograd-transform.ts";

/**
 * Blocks of the products of transformed patches: packs a and b, both transformed, multiplies for each element of a patch, then
 * calls what transforms back and runs the epilogue.
 */
export function addPatches(module: ModuleWriter, tileBlock: FunctionWriter): FunctionWriter {
  const f = module.function(["i32", "i32", "i32"]);
  const [args, unit, end] = [0, 1, 2];
  const field = (at: number): FunctionWriter => f.get(args).load(i32.load, at);
  const [batch, entry, i0, rows, j0, columns, tiles, p0, terms] = f.locals(9);
  const [layerA, layerB, layerC, left, packed, firstA, termsA, guards] = f.locals(8);
  const kept = f.locals(5);

  const nextUnit = f.loop();
  takeUnit(f, field, unit, [batch, entry, i0, rows, j0, columns, tiles]);
  f.i32(0).set(p0);
  const nextTerms = f.loop();
  field(word.termBlock);
  field(word.k).get(p0).op(i32.sub);
  minimum(f, terms);

  // a: all terms at once, or those of this block.
  f.get(p0).get(p0);
  field(word.termsA).op(i32.rem_u).tee(left).op(i32.sub).set(firstA);
  field(word.termsA);
  field(word.k).get(firstA).op(i32.sub);
  minimum(f, termsA);
  f.get(entry).load(i32.load, 16).set(guards);
  unlessSame(f, kept, [entry, i0, rows, firstA, termsA], () => {
    field(word.a).get(entry).load(i32.load, 0).op(i32.add);
    field(word.packedA).get(i0).get(rows).get(firstA).get(termsA).get(guards);
    field(word.windowsA).callIndirect(module.type(packingParameters, []));
  });
  field(word.packedA).get(left).i32(4).op(i32.shl).op(i32.add).set(layerA);

  field(word.b).get(entry).load(i32.load, 4).op(i32.add);
  field(word.packedB).tee(layerB).get(j0).get(columns).get(p0).get(terms);
  f.get(entry).load(i32.load, 20);
  field(word.windowsB).callIndirect(module.type(packingParameters, []));

  field(word.product).set(layerC);
  f.i32(layers).set(packed);
  const nextLayer = f.loop();
  f.get(layerA).get(layerB).get(layerC).get(terms).i32(4).i32(16).i32(32);
  field(word.columnBlock).i32(2).op(i32.shl).get(tiles);
  f.get(termsA).i32(4).op(i32.shl).get(p0);
  f.get(terms).i32(5).op(i32.shl).get(columns).call(tileBlock.index);
  field(word.layerA).get(layerA).op(i32.add).set(layerA);
  field(word.layerB).get(layerB).op(i32.add).set(layerB);
  field(word.layerProduct).get(layerC).op(i32.add).set(layerC);
  f.countDown(packed, nextLayer).end();

  f.get(p0).get(terms).op(i32.add).tee(p0);
  field(word.k).op(i32.lt_u).brIf(nextTerms).end();

  field(word.epilogueArguments);
  field(word.product);
  field(word.block).get(batch).get(i0).get(rows).get(j0).get(columns);
  field(word.epilogue).callIndirect(module.type(epilogueParameters, []));
  f.addAndGet(unit, 1).get(end).op(i32.lt_u).brIf(nextUnit).end();
  return f;
}
