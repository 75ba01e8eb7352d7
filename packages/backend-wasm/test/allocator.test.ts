import { BackendError } from "@gradloom/engine";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Allocator } from "../src/allocator.ts";
import { LinearMemory } from "../src/memory.ts";

/** Sizes as tensors have them: many small ones, a few large ones. */
const byteLength = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: 0, max: 20_000 }),
  fc.integer({ min: 0, max: 600_000 }),
);

describe("Allocator", () => {
  it("gives out blocks that do not overlap, and merges what comes back", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(byteLength, fc.nat()), { maxLength: 120 }), (requests) => {
        const memory = new LinearMemory(false, 1);
        const allocator = new Allocator(memory, 1000);
        const blocks: { address: number; end: number }[] = [];
        for (const [bytes, choice] of requests) {
          // About as many blocks go as come.
          if (choice % 2 === 1 && blocks.length > 0) {
            const [block] = blocks.splice(choice % blocks.length, 1);
            allocator.free(block.address);
          }
          const address = allocator.allocate(bytes);
          const end = address + bytes;
          expect(address).toBeGreaterThanOrEqual(1000);
          expect(address % 64).toBe(0);
          expect(end + 64).toBeLessThanOrEqual(memory.byteLength);
          for (const other of blocks) {
            expect(address >= other.end || end <= other.address).toBe(true);
          }
          blocks.push({ address, end: Math.max(end, address + 1) });
        }
        for (const { address } of blocks) allocator.free(address);
        // All of it is one block again: what fits into the memory does not make it grow.
        const before = memory.byteLength;
        allocator.allocate(before - 2048);
        expect(memory.byteLength).toBe(before);
      }),
      { numRuns: 200 },
    );
  });

  it("needs little more than is in use while sizes keep changing", () => {
    const memory = new LinearMemory(false, 1);
    const allocator = new Allocator(memory, 0);
    const blocks: { address: number; bytes: number }[] = [];
    let [seed, used, most, end] = [1, 0, 0, 0];
    for (let step = 0; step < 60_000; step++) {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      const bytes = 1 + ((seed >>> 8) % 3000) * (seed % 7);
      const address = allocator.allocate(bytes);
      blocks.push({ address, bytes });
      used += bytes;
      if (blocks.length > 200) {
        const [block] = blocks.splice((seed >>> 4) % 200, 1);
        allocator.free(block.address);
        used -= block.bytes;
      }
      most = Math.max(most, used);
      end = Math.max(end, address + bytes);
    }
    expect(end).toBeLessThan(1.2 * most);
  });

  it("keeps what is in the memory when that grows", () => {
    const memory = new LinearMemory(false, 1);
    const allocator = new Allocator(memory, 0);
    const address = allocator.allocate(16);
    memory.bytes[address] = 77;
    allocator.allocate(10_000_000);
    expect(memory.growths).toBeGreaterThan(0);
    expect(memory.bytes[address]).toBe(77);
    expect(memory.words.length * 4).toBe(memory.memory.buffer.byteLength);
  });

  it("refuses what does not fit into 4 GiB, and can go on", () => {
    const allocator = new Allocator(new LinearMemory(false, 1), 0);
    expect(() => allocator.allocate(2 ** 32)).toThrow(BackendError);
    expect(() => allocator.allocate(2 ** 32)).toThrow(/^allocate: all memory must fit into 4 GiB/);
    expect(() => allocator.allocate(2 ** 40)).toThrow(/^allocate: all memory must fit/);
    expect(() => allocator.allocate(Number.NaN)).toThrow(BackendError);
    expect(allocator.allocate(100)).toBeGreaterThanOrEqual(0);
  });

  it("refuses to free what is not in use", () => {
    const allocator = new Allocator(new LinearMemory(false, 1), 64);
    const address = allocator.allocate(100);
    allocator.free(address);
    expect(() => allocator.free(address)).toThrow(
      /^free: an address must be that of a block in use/,
    );
  });
});
