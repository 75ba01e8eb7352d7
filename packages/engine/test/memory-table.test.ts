import { expect, test } from "vitest";
import { Box } from "../src/box.ts";
import type { TypedArray } from "../src/dtype.ts";
import { MemoryTable } from "../src/memory-table.ts";
import { IdleBackend } from "./idle-backend.ts";

const megabyte = 1 << 20;

/** A state of so many megabytes, or a value. */
const box = (megabytes: number, isState: boolean): Box =>
  new Box("float32", [megabytes * (megabyte / 4)], undefined, isState);

function run(table: MemoryTable, boxes: readonly Box[]): void {
  table.begin();
  for (const each of boxes) {
    const { address, host } = each.storage;
    if (address === undefined && host === undefined) table.place(each);
    else table.bring(each);
  }
  table.end();
}

test("what the runs of a loop use stays, however much it is", () => {
  const table = new MemoryTable(new IdleBackend());
  const parts = Array.from({ length: 6 }, () => box(200, true));
  for (let step = 0; step < 3; step++) for (const part of parts) run(table, [part]);
  expect(table.bytes).toBe(1200 * megabyte);
  expect(parts.some(({ storage }) => storage.isPagedOut)).toBe(false);
});

test("what no recent run has used is paged out beyond the budget", () => {
  const table = new MemoryTable(new IdleBackend());
  const small = box(1, true);
  for (let i = 0; i < 100; i++) {
    run(table, [small, box(20, false)]);
    // A quarter more, while the collector is asked.
    expect(table.bytes).toBeLessThanOrEqual(340 * megabyte);
  }
  expect(small.storage.isPagedOut).toBe(false);
});

test("small values that no recent run has used are paged out when there are many", () => {
  const table = new MemoryTable(new IdleBackend());
  const used = box(1, true);
  const values = Array.from({ length: 20_000 }, () => new Box("float32", [20]));
  for (const value of values) {
    run(table, [used, value]);
    expect(table.count).toBeLessThan(10_000);
  }
  expect(used.storage.isPagedOut).toBe(false);
  expect(values[0].storage.host).toHaveLength(20);
  // What is used in each run is no reason to look again and again.
  const kept = values.slice(0, 9000);
  for (let i = 0; i < 10; i++) run(table, kept);
  expect(kept.some(({ storage }) => storage.address === undefined)).toBe(false);
});

/** Counts what is copied out of it. */
class CountingBackend extends IdleBackend {
  copies = 0;

  override readSync(...parameters: Parameters<IdleBackend["readSync"]>): TypedArray {
    this.copies += 1;
    return super.readSync(...parameters);
  }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("what nobody holds is freed, not paged out", async () => {
  const backend = new CountingBackend();
  const table = new MemoryTable(backend);
  const kept = box(20, false);
  run(table, [kept]);
  for (let i = 0; i < 40; i++) {
    run(table, [box(20, false), box(1, true)]);
    if (i % 5 === 4) {
      await turn();
      globalThis.gc!();
      await turn();
    }
  }
  expect(backend.copies).toBe(0);
  expect(table.bytes).toBeLessThanOrEqual(20 * megabyte);
  expect(kept.storage.address).toBeDefined();
  expect(backend.memoryBytes).toBeLessThan(60 * megabyte);
});

test("beyond the budget the collector is asked what is garbage", async () => {
  const backend = new CountingBackend();
  const table = new MemoryTable(backend);
  for (let i = 0; i < 6; i++) run(table, [box(200, false)]);
  for (let i = 0; i < 8; i++) run(table, [box(1, false)]);
  expect(table.bytes).toBeGreaterThan(256 * megabyte);
  // A few turns; the collector has no other reason to look.
  for (let i = 0; i < 20_000 && table.bytes > 256 * megabyte; i++) await turn();
  expect(table.bytes).toBeLessThan(256 * megabyte);
  expect(backend.copies).toBe(0);
});

test("what was paged out is garbage like anything else, also before the event loop has its turn", () => {
  const table = new MemoryTable(new IdleBackend());
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 100; i++) run(table, [box(20, false)]);
  expect(table.count).toBeLessThan(20);
  const onHeap = (): number => (process.memoryUsage().arrayBuffers - before) / megabyte;
  // A collection sweeps arrays while others run on; the next one waits for that.
  for (let i = 0; i < 5 && onHeap() >= 100; i++) globalThis.gc!();
  expect(onHeap()).toBeLessThan(100);
});

test("values make room where there is no memory left", () => {
  class SmallBackend extends IdleBackend {
    override allocate(byteLength: number): number {
      if (this.memoryBytes + byteLength > 100 * megabyte) throw new Error("allocate: full");
      return super.allocate(byteLength);
    }
  }
  const table = new MemoryTable(new SmallBackend());
  const boxes = Array.from({ length: 8 }, () => box(30, true));
  for (const each of boxes) run(table, [each]);
  expect(boxes.slice(0, 5).every(({ storage }) => storage.isPagedOut)).toBe(true);
  expect(() => run(table, boxes)).toThrow("full");
});
