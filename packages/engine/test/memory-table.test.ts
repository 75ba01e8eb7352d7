import { expect, test } from "vitest";
import { Box } from "../src/box.ts";
import { MemoryTable } from "../src/memory-table.ts";
import { IdleBackend } from "./idle-backend.ts";

const megabyte = 1 << 20;

/** A state of so many megabytes, or a value. */
const box = (megabytes: number, isState: boolean): Box =>
  new Box("float32", [megabytes * (megabyte / 4)], undefined, isState);

function run(table: MemoryTable, boxes: readonly Box[]): void {
  table.begin();
  for (const each of boxes) {
    if (each.address === undefined && each.host === undefined) table.place(each);
    else table.bring(each);
  }
  table.end();
}

test("what the runs of a loop use stays, however much it is", () => {
  const table = new MemoryTable(new IdleBackend());
  const parts = Array.from({ length: 6 }, () => box(200, true));
  for (let step = 0; step < 3; step++) for (const part of parts) run(table, [part]);
  expect(table.bytes).toBe(1200 * megabyte);
  expect(parts.some(({ isPagedOut }) => isPagedOut)).toBe(false);
});

test("what no recent run has used is paged out beyond the budget", () => {
  const table = new MemoryTable(new IdleBackend());
  const small = box(1, true);
  for (let i = 0; i < 40; i++) run(table, [small, box(20, false)]);
  expect(table.bytes).toBeLessThanOrEqual(256 * megabyte);
  expect(small.isPagedOut).toBe(false);
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
  expect(boxes.slice(0, 5).every((each) => each.isPagedOut)).toBe(true);
  expect(() => run(table, boxes)).toThrow("full");
});
