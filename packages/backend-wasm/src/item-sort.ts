import type { FunctionWriter, ModuleWriter } from "./assembler.ts";
import * as i32 from "./opcodes/i32.ts";
import * as i64 from "./opcodes/i64.ts";
import * as memory from "./opcodes/memory.ts";

/**
 * Something to sort: an unsigned key, and what belongs to it in a word at the start. A narrow key has 32 bits and
 * directly follows that word, so an item is one number of 64 bits; a wide key has 64 bits.
 */
export interface ItemLayout {
  readonly bytes: 8 | 16;
  /** Where the key is, and how many bytes it has. */
  readonly key: 4 | 8;
  readonly keyBytes: 4 | 8;
}

export const narrowItems: ItemLayout = { bytes: 8, key: 4, keyBytes: 4 };
export const wideItems: ItemLayout = { bytes: 16, key: 8, keyBytes: 8 };

/** Bytes of the counters that sorting needs. */
export function counterBytes({ keyBytes }: ItemLayout): number {
  return keyBytes << 10;
}

/** Comparisons, at most, below which inserting is faster than counting. */
const fewComparisons = 2304;

/**
 * `(items, other, counters, n, count) -> items or other`: brings the first `count` of the items into order, in the one
 * or the other place. Equal keys stay in order. Few are inserted one by one; for many, a radix sort with digits
 * of eight bits, from the lowest on.
 */
export function addItemSort(module: ModuleWriter, layout: ItemLayout): FunctionWriter {
  const f = module.function(["i32", "i32", "i32", "i32", "i32"], ["i32"]);
  const [from, to, counters, n, count] = [0, 1, 2, 3, 4];
  const { bytes, keyBytes } = layout;
  const [end, p, q, at, digit, table] = f.locals(6);
  const setEnd = (): void => {
    f.get(from).get(n).i32(bytes).op(i32.mul).op(i32.add).set(end);
  };

  setEnd();
  f.get(n).get(count).op(i32.mul).i32(fewComparisons).op(i32.le_u);
  // That may be more than fits.
  f.get(n).i32(fewComparisons).op(i32.le_u).op(i32.and).if();
  writeInsertion(f, layout, [from, end, count, p, q]);
  f.get(from).return().end();

  // How often each digit occurs, for all places at once.
  f.get(counters).i32(0).i32(counterBytes(layout)).op(memory.fill, 0);
  f.get(from).set(p);
  const countNext = f.loop();
  for (let place = 0; place < keyBytes; place++) {
    f.get(p)
      .load(i32.load8_u, layout.key + place)
      .i32(2)
      .op(i32.shl);
    f.get(counters).op(i32.add).tee(q);
    f.get(q)
      .load(i32.load, place << 10)
      .i32(1)
      .op(i32.add)
      .store(i32.store, place << 10);
  }
  f.addAndGet(p, bytes).get(end).op(i32.ne).brIf(countNext).end();

  f.get(counters).set(table);
  const nextPlace = f.loop();
  const pushCounter = (item: number): void => {
    f.get(item).get(digit).op(i32.add).load(i32.load8_u, layout.key);
    f.i32(2).op(i32.shl).get(table).op(i32.add);
  };
  // Nothing to do if all have the same.
  pushCounter(from);
  f.load(i32.load).get(n).op(i32.ne).if();
  f.get(to).set(at);
  f.get(table).set(p);
  const nextSum = f.loop();
  f.get(p).load(i32.load).i32(bytes).op(i32.mul);
  f.get(p).get(at).store(i32.store);
  f.get(at).op(i32.add).set(at);
  f.addAndGet(p, 4).get(table).i32(1024).op(i32.add).op(i32.ne);
  f.brIf(nextSum).end();
  f.get(from).set(p);
  const moveNext = f.loop();
  pushCounter(p);
  f.tee(q).load(i32.load).set(at);
  copyItem(f, layout, p, at);
  f.get(q).get(at).i32(bytes).op(i32.add).store(i32.store);
  f.addAndGet(p, bytes).get(end).op(i32.ne).brIf(moveNext).end();
  f.get(from).get(to).set(from).set(to);
  setEnd();
  f.end();
  f.add(table, 1024);
  f.addAndGet(digit, 1).i32(keyBytes).op(i32.lt_u).brIf(nextPlace).end();
  return f.get(from);
}

/** Keeps a sorted list of `count` items, at most, at the start, and inserts each item where it belongs. */
function writeInsertion(
  f: FunctionWriter,
  layout: ItemLayout,
  [from, end, count, p, q]: readonly [
    from: number,
    end: number,
    count: number,
    p: number,
    q: number,
  ],
): void {
  const { bytes } = layout;
  const comparable = layout.key === 8 ? 8 : 0;
  const [first, second] = [f.local("i64"), f.local("i64")];
  const last = f.local();
  f.get(from).get(count).i32(bytes).op(i32.mul).op(i32.add).set(last);
  f.get(from).set(p);
  const next = f.loop();
  f.get(p)
    .load(i64.load, bytes - 8)
    .set(first);
  f.get(p).load(i64.load).set(second);
  f.smaller(p, last).set(q);
  const found = f.block();
  const down = f.loop();
  f.get(q).get(from).op(i32.eq).brIf(found);
  f.get(q).i32(bytes).op(i32.sub).load(i64.load, comparable).get(first).op(i64.gt_u);
  f.op(i32.eqz).brIf(found);
  for (let word = 0; word < bytes; word += 8) {
    f.get(q).get(q).i32(bytes).op(i32.sub).load(i64.load, word).store(i64.store, word);
  }
  f.add(q, -bytes);
  f.br(down).end().end();
  f.get(q)
    .get(first)
    .store(i64.store, bytes - 8);
  if (bytes > 8) f.get(q).get(second).store(i64.store);
  f.addAndGet(p, bytes).get(end).op(i32.ne).brIf(next).end();
}

function copyItem(f: FunctionWriter, { bytes }: ItemLayout, from: number, to: number): void {
  for (let word = 0; word < bytes; word += 8) {
    f.get(to).get(from).load(i64.load, word).store(i64.store, word);
  }
}
