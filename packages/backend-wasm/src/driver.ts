import type { FunctionWriter, ModuleWriter } from "./assembler.ts";

/** Words of the control block, by which threads meet; each in a cache line of its own, in bytes. */
export const control = {
  /** Counts the groups of steps that were offered to all threads, by 256. Threads sleep on it. */
  sequence: 0,
  /** Two descriptions of a group, for odd and even numbers. See {@link groupSlot}. */
  groups: 64,
  /** Chunks of the present group that are finished. The first thread sleeps on it. */
  done: 192,
  /** Whether the first thread sleeps, or is about to. */
  waiting: 256,
  /** How many other threads sleep, or are about to. */
  sleepers: 320,
  /** Counts what threads must take notice of outside of WebAssembly: new modules, a grown memory. */
  epoch: 384,
  /** Not 0 once a thread has failed. */
  failed: 448,
  /** For each thread, which of its chunks comes next: `sequence + chunk`. */
  tickets: 512,
  /** For each thread, the number of the last letter that it has read. */
  acknowledged: 544,
  /** For each thread, how many chunks it has run. */
  chunks: 560,
} as const;

const lineBytes = 64;
/** The most threads there can be. */
export const maxThreads = 64;
/** Bytes of the control block. */
export const controlBytes: number = control.tickets + lineBytes * maxThreads;
/** The most chunks of a group: they have to fit into a ticket. */
export const maxChunks = 255;

/** A group offered to the threads: where its first step is, how many chunks, for how many threads. */
const groupSlot = { step: 0, chunks: 4, threads: 8 } as const;

/**
 * A plan is words in memory: the number of groups, then the groups. A group is its number of steps, and its
 * number of chunks, or 0 if it is not worth more than one thread, then its steps. The steps of a group do not
 * depend on each other. A chunk is a part of a step's units.
 */
export const planWords = { groups: 1, group: 2, step: 6 } as const;

/** Words of a step, in bytes. */
export const stepField = {
  /** Position in the table of functions. */
  function: 0,
  /** Argument block, and how far the next thread's is behind it. */
  arguments: 4,
  argumentStride: 8,
  units: 12,
  /** Units of a chunk. */
  grain: 16,
  chunks: 20,
} as const;

/** What {@link addDriver} needs to know of the host. */
export interface DriverOptions {
  /** Address of the control block. */
  readonly control: number;
  /**
   * An imported function that looks for signs of life while the first thread waits, and throws if it gives up.
   * None: there are no other threads.
   */
  readonly stalled: number | undefined;
}

/** Turns of a loop that waits before its thread goes to sleep: about 100 µs. */
const spins = 50000;
/** The same for a thread without work. */
const idleSpins = 100000;
/** How long the first thread sleeps before it looks for signs of life, in nanoseconds. */
const nap = 100_000_000n;

/**
 * Writes the functions that run a plan.
 *
 * - `alone(plan)`: on this thread.
 * - `run(plan, threads, sleep)`: as the first of many threads; `sleep` says whether this thread may. Returns 0 or,
 *   if another thread has failed, 1.
 * - `work(thread, epoch)`: as another thread, until the epoch changes or a thread fails.
 *
 * The first thread goes through the plan. A group that is worth it is offered to all: each thread has a range of
 * chunks of its own, which it takes one by one, then helps with those of others. So threads that are asleep, late or
 * dead do not hold up anybody, except with a chunk they have begun. A ticket carries the number of its
 * group: one of an older group cannot be taken by mistake.
 */
export function addDriver(module: ModuleWriter, options: DriverOptions): void {
  const runChunk = addRunChunk(module);
  const runGroup = addRunGroup(module, runChunk);
  addAlone(module, runGroup);
  const { stalled } = options;
  if (stalled === undefined) return;
  const help = addHelp(module, options, runChunk);
  addRun(module, options, runGroup, help, stalled);
  addWork(module, options, help);
}

/** `(step, chunk, thread)`: calls the kernel function for the chunk of the step or of a step behind it. */
function addRunChunk(module: ModuleWriter): FunctionWriter {
  const f = module.function(["i32", "i32", "i32"]);
  const [step, chunk, thread] = [0, 1, 2];
  const begin = f.local("i32");
  const end = f.local("i32");
  const units = f.local("i32");
  const found = f.block();
  const next = f.loop();
  f.get(chunk).get(step).load("i32.load", stepField.chunks).op("i32.lt_u").brIf(found);
  f.get(chunk).get(step).load("i32.load", stepField.chunks).op("i32.sub").set(chunk);
  f.get(step)
    .i32(planWords.step * 4)
    .op("i32.add")
    .set(step);
  f.br(next).end().end();
  f.get(chunk).get(step).load("i32.load", stepField.grain).op("i32.mul").tee(begin);
  f.get(step).load("i32.load", stepField.grain).op("i32.add").set(end);
  f.get(step).load("i32.load", stepField.units).set(units);
  f.get(step).load("i32.load", stepField.arguments);
  f.get(step).load("i32.load", stepField.argumentStride).get(thread).op("i32.mul").op("i32.add");
  f.get(begin);
  f.get(end).get(units).get(end).get(units).op("i32.lt_u").op("select");
  f.get(step).load("i32.load", stepField.function);
  f.callIndirect(module.type(["i32", "i32", "i32"], []));
  return f;
}

/** `(group) -> the next group`: all chunks of a group on the first thread. */
function addRunGroup(module: ModuleWriter, runChunk: FunctionWriter): FunctionWriter {
  const f = module.function(["i32"], ["i32"]);
  const group = 0;
  const step = f.local("i32");
  const steps = f.local("i32");
  const chunk = f.local("i32");
  f.get(group).load("i32.load").set(steps);
  f.get(group)
    .i32(planWords.group * 4)
    .op("i32.add")
    .set(step);
  const nextStep = f.loop();
  f.i32(0).set(chunk);
  const nextChunk = f.loop();
  f.get(step).get(chunk).i32(0).call(runChunk.index);
  f.get(chunk).i32(1).op("i32.add").tee(chunk);
  f.get(step).load("i32.load", stepField.chunks).op("i32.lt_u").brIf(nextChunk).end();
  f.get(step)
    .i32(planWords.step * 4)
    .op("i32.add")
    .set(step);
  f.get(steps).i32(1).op("i32.sub").tee(steps).brIf(nextStep).end();
  return f.get(step);
}

function addAlone(module: ModuleWriter, runGroup: FunctionWriter): void {
  const f = module.function(["i32"], [], "alone");
  const group = 0;
  const groups = f.local("i32");
  f.get(group).load("i32.load").set(groups);
  f.get(group)
    .i32(planWords.groups * 4)
    .op("i32.add")
    .set(group);
  const next = f.loop();
  f.get(group).call(runGroup.index).set(group);
  f.get(groups).i32(1).op("i32.sub").tee(groups).brIf(next).end();
}

/** `(thread, sequence)`: takes chunks of the group of that number until there are none left. */
function addHelp(
  module: ModuleWriter,
  options: DriverOptions,
  runChunk: FunctionWriter,
): FunctionWriter {
  const f = module.function(["i32", "i32"]);
  const [thread, sequence] = [0, 1];
  const slot = f.local("i32");
  const threads = f.local("i32");
  const tries = f.local("i32");
  const owner = f.local("i32");
  const address = f.local("i32");
  const ticket = f.local("i32");
  const limit = f.local("i32");
  const counter = f.local("i32");

  slotOf(f, options, sequence).set(slot);
  f.get(slot).load("i32.load", groupSlot.threads).tee(threads).set(tries);
  f.get(thread).set(owner);
  f.get(thread)
    .i32(6)
    .op("i32.shl")
    .i32(options.control + control.chunks)
    .op("i32.add")
    .set(counter);
  const all = f.block();
  const nextOwner = f.loop();
  f.get(tries).op("i32.eqz").brIf(all);
  f.get(owner).get(threads).op("i32.ge_u").if();
  f.i32(0).set(owner).end();
  f.get(owner)
    .i32(6)
    .op("i32.shl")
    .i32(options.control + control.tickets)
    .op("i32.add")
    .set(address);
  f.get(slot).load("i32.load", groupSlot.chunks).get(owner).i32(1).op("i32.add").op("i32.mul");
  f.get(threads).op("i32.div_u").set(limit);

  const ended = f.block();
  const nextChunk = f.loop();
  f.get(address).load("i32.atomic.load").tee(ticket);
  f.get(sequence).op("i32.xor").i32(8).op("i32.shr_u").brIf(all);
  f.get(ticket).i32(0xff).op("i32.and").get(limit).op("i32.ge_u").brIf(ended);
  f.get(address).get(ticket).get(ticket).i32(1).op("i32.add").load("i32.atomic.rmw.cmpxchg");
  f.get(ticket).op("i32.ne").brIf(nextChunk);
  f.get(slot).load("i32.load", groupSlot.step).get(ticket).i32(0xff).op("i32.and").get(thread);
  f.call(runChunk.index);
  f.get(counter).get(counter).load("i32.load").i32(1).op("i32.add").store("i32.store");
  f.i32(options.control).i32(1).load("i32.atomic.rmw.add", control.done).op("drop");
  f.i32(options.control).load("i32.atomic.load", control.waiting).if();
  f.i32(options.control).i32(1).load("memory.atomic.notify", control.done).op("drop").end();
  f.br(nextChunk).end().end();

  f.get(owner).i32(1).op("i32.add").set(owner);
  f.get(tries).i32(1).op("i32.sub").set(tries);
  f.br(nextOwner).end().end();
  return f;
}

/** Leaves the address of a group's description on the stack. */
function slotOf(f: FunctionWriter, options: DriverOptions, sequence: number): FunctionWriter {
  f.get(sequence).i32(2).op("i32.shr_u").i32(lineBytes).op("i32.and");
  return f.i32(options.control + control.groups).op("i32.add");
}

function addRun(
  module: ModuleWriter,
  options: DriverOptions,
  runGroup: FunctionWriter,
  help: FunctionWriter,
  stalled: number,
): void {
  const f = module.function(["i32", "i32", "i32"], ["i32"], "run");
  const [group, threads, sleep] = [0, 1, 2];
  const groups = f.local("i32");
  const chunks = f.local("i32");
  const sequence = f.local("i32");
  const slot = f.local("i32");
  const thread = f.local("i32");
  const turns = f.local("i32");
  const done = f.local("i32");
  const at = options.control;

  f.get(group).load("i32.load").set(groups);
  f.get(group)
    .i32(planWords.groups * 4)
    .op("i32.add")
    .set(group);
  const nextGroup = f.loop();
  f.get(group).load("i32.load", 4).tee(chunks).op("i32.eqz").if();
  f.get(group).call(runGroup.index).set(group);
  f.else();

  // Offer the group: its description, the tickets, then the number that says so.
  f.i32(at).load("i32.atomic.load", control.sequence).i32(256).op("i32.add").set(sequence);
  slotOf(f, options, sequence).tee(slot);
  f.get(group)
    .i32(planWords.group * 4)
    .op("i32.add")
    .store("i32.store", groupSlot.step);
  f.get(slot).get(chunks).store("i32.store", groupSlot.chunks);
  f.get(slot).get(threads).store("i32.store", groupSlot.threads);
  f.i32(at).i32(0).store("i32.atomic.store", control.done);
  f.i32(0).set(thread);
  const nextThread = f.loop();
  f.get(thread).i32(6).op("i32.shl");
  f.get(chunks).get(thread).op("i32.mul").get(threads).op("i32.div_u");
  f.get(sequence)
    .op("i32.add")
    .store("i32.atomic.store", at + control.tickets);
  f.get(thread).i32(1).op("i32.add").tee(thread).get(threads).op("i32.lt_u").brIf(nextThread).end();
  f.i32(at).get(sequence).store("i32.atomic.store", control.sequence);
  f.i32(at).load("i32.atomic.load", control.sleepers).if();
  f.i32(at).i32(-1).load("memory.atomic.notify", control.sequence).op("drop").end();

  f.i32(0).get(sequence).call(help.index);

  f.i32(0).set(turns);
  const finished = f.block();
  const wait = f.loop();
  f.i32(at).load("i32.atomic.load", control.done).tee(done).get(chunks).op("i32.eq").brIf(finished);
  f.get(turns).i32(1).op("i32.add").tee(turns).i32(spins).op("i32.lt_u").brIf(wait);
  f.i32(0).set(turns);
  f.i32(at).load("i32.atomic.load", control.failed).if();
  f.i32(1).op("return").end();
  f.get(sleep).if();
  f.i32(at).i32(1).store("i32.atomic.store", control.waiting);
  f.i32(at).load("i32.atomic.load", control.done).tee(done).get(chunks).op("i32.ne").if();
  f.i32(at).get(done).i64(nap).load("memory.atomic.wait32", control.done).op("drop").end();
  f.i32(at).i32(0).store("i32.atomic.store", control.waiting);
  f.end();
  f.call(stalled);
  f.br(wait).end().end();

  f.get(group)
    .load("i32.load")
    .i32(planWords.step * 4)
    .op("i32.mul");
  f.get(group)
    .op("i32.add")
    .i32(planWords.group * 4)
    .op("i32.add")
    .set(group);
  f.end();
  f.get(groups).i32(1).op("i32.sub").tee(groups).brIf(nextGroup).end();
  f.i32(0);
}

function addWork(module: ModuleWriter, options: DriverOptions, help: FunctionWriter): void {
  const f = module.function(["i32", "i32"], [], "work");
  const [thread, epoch] = [0, 1];
  const seen = f.local("i32");
  const sequence = f.local("i32");
  const turns = f.local("i32");
  const at = options.control;

  f.i32(at).load("i32.atomic.load", control.sequence).i32(256).op("i32.sub").set(seen);
  const loop = f.loop();
  f.i32(at).load("i32.atomic.load", control.sequence).tee(sequence).get(seen).op("i32.eq").if();
  f.get(turns).i32(1).op("i32.add").tee(turns).i32(idleSpins).op("i32.lt_u").brIf(loop);
  f.i32(0).set(turns);
  f.i32(at).i32(1).load("i32.atomic.rmw.add", control.sleepers).op("drop");
  f.i32(at).get(seen).i64(-1n).load("memory.atomic.wait32", control.sequence).op("drop");
  f.i32(at).i32(1).load("i32.atomic.rmw.sub", control.sleepers).op("drop");
  f.br(loop);
  f.end();
  f.i32(at).load("i32.atomic.load", control.epoch).get(epoch).op("i32.ne").if();
  f.op("return").end();
  f.get(sequence).set(seen).i32(0).set(turns);
  f.get(thread).get(sequence).call(help.index);
  f.br(loop).end();
}
