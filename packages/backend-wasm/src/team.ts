import type { FunctionWriter, ModuleWriter } from "./assembler.ts";
import * as control from "./control-block.ts";
import { type DriverFunctions, pushGroupsLeft } from "./driver.ts";
import * as offer from "./offer-words.ts";
import * as i32 from "./opcodes/i32.ts";
import * as memory from "./opcodes/memory.ts";
import * as planWords from "./plan-words.ts";
import * as threadWords from "./thread-words.ts";

/** Turns of a loop that waits before its thread goes to sleep: about 20 µs in optimised code. */
const spins = 60_000;
/** The same for a thread without work: about half a millisecond, so that it is awake in the next run of a loop. */
const idleSpins = 500_000;
/** How long the first thread sleeps before it looks for signs of life, in nanoseconds. */
const nap = 100_000_000;
/** What a sequence number counts by: the chunks of a group fit below. */
const sequenceStep = 256;

/**
 * Writes the functions that run a plan on many threads.
 *
 * - `run(plan, threads, sleep)`: as the first thread; `sleep` says whether it may. Returns 0 or, if another thread
 *   has failed, 1.
 * - `work(thread, epoch)`: as another thread, until the epoch changes or a thread fails.
 *
 * The first thread goes through the plan. A group that is worth it is offered to all: each thread has a range of
 * chunks of its own, which it takes one by one, then it helps with those of others. So threads that are asleep,
 * late or dead do not hold up anybody, except with a chunk they have begun. A ticket carries the number of its group,
 * so one of an older group cannot be taken by mistake; and offers alternate between two places, so that what belongs to
 * a ticket is still there while it can be taken. The group is finished when as many chunks were run as offered.
 *
 * What costs is moving cache lines between cores: a thread waits on the line that brings it the offer, and
 * counts its chunks in a line of its own.
 *
 * @param stalled - An imported function that looks for signs of life while the first thread waits, and throws if it gives up.
 */
export function addTeam(module: ModuleWriter, driver: DriverFunctions, stalled: number): void {
  const help = addHelp(module, driver);
  addRun(module, driver, stalled, help);
  addWork(module, help);
}

/** `(thread, sequence)`: takes chunks of the group of that number until there are none left. */
function addHelp(module: ModuleWriter, { runChunk }: DriverFunctions): FunctionWriter {
  const f = module.function(["i32", "i32"]);
  const [thread, sequence] = [0, 1];
  const [own, offered, step, threads, chunks, tries, owner, at, ticket, limit] = f.locals(10);

  pushThread(f, thread).tee(own);
  pushOfferOffset(f, sequence).op(i32.add).tee(offered);
  f.load(i32.load, offer.threads).tee(threads).set(tries);
  f.get(offered).load(i32.load, offer.step).set(step);
  f.get(offered).load(i32.load, offer.chunks).set(chunks);
  f.get(thread).set(owner);
  const all = f.block();
  const nextOwner = f.loop();
  f.get(tries).op(i32.eqz).brIf(all);
  f.get(owner).get(threads).op(i32.ge_u).if();
  f.i32(0).set(owner).end();
  pushThread(f, owner).set(at);
  f.get(chunks).get(owner).i32(1).op(i32.add).op(i32.mul).get(threads).op(i32.div_u);
  f.set(limit);

  const ended = f.block();
  const nextChunk = f.loop();
  f.get(at).load(i32.atomic_load, threadWords.ticket).tee(ticket).get(sequence).op(i32.xor);
  f.i32(sequenceStep).op(i32.ge_u).brIf(ended);
  f.get(ticket).get(sequence).op(i32.sub).get(limit).op(i32.ge_u).brIf(ended);
  f.get(at).get(ticket).get(ticket).i32(1).op(i32.add);
  f.load(i32.atomic_rmw_cmpxchg, threadWords.ticket).get(ticket).op(i32.ne).brIf(nextChunk);
  f.get(step).get(ticket).get(sequence).op(i32.sub).get(thread).call(runChunk.index);
  f.get(own).get(own).load(i32.load, threadWords.chunks).i32(1).op(i32.add);
  f.store(i32.atomic_store, threadWords.chunks);
  f.get(thread).if();
  f.i32(0).load(i32.atomic_load, control.waiting).if();
  f.i32(0).i32(1).load(i32.atomic_rmw_add, control.wake).drop();
  f.i32(0).i32(1).load(memory.atomic_notify, control.wake).drop();
  f.end().end();
  f.br(nextChunk).end().end();

  f.add(owner, 1);
  f.add(tries, -1);
  f.br(nextOwner).end().end();
  return f;
}

function addRun(
  module: ModuleWriter,
  { runGroup }: DriverFunctions,
  stalled: number,
  help: FunctionWriter,
): void {
  const f = module.function(["i32", "i32", "i32"], ["i32"], "run");
  const [group, threads, sleep] = [0, 1, 2];
  const [groups, chunks, expected, sequence, turns, wake] = f.locals(6);
  const sum = addChunksRun(module);
  const post = addPost(module);

  f.get(threads).call(sum.index).set(expected);
  f.get(group).load(i32.load).set(groups);
  f.add(group, planWords.groups * 4);
  const nextGroup = f.loop();
  f.get(group).load(i32.load, 4).tee(chunks).op(i32.eqz).if();
  f.get(group).call(runGroup.index).set(group);
  f.else();

  f.i32(0).load(i32.load, control.sequence).i32(sequenceStep).op(i32.add).set(sequence);
  f.i32(0).get(sequence).store(i32.store, control.sequence);
  f.get(group)
    .i32(planWords.group * 4)
    .op(i32.add);
  f.get(chunks).get(threads).get(sequence).call(post.index);
  f.i32(0).get(sequence).call(help.index);
  f.advance(expected, chunks);

  f.i32(0).set(turns);
  const finished = f.block();
  const wait = f.loop();
  f.get(threads).call(sum.index).get(expected).op(i32.eq).brIf(finished);
  f.addAndGet(turns, 1).i32(spins).op(i32.lt_u).brIf(wait);
  f.i32(0).set(turns);
  f.i32(0).load(i32.atomic_load, control.failed).if();
  f.i32(1).return().end();
  f.get(sleep).if();
  f.i32(0).load(i32.atomic_load, control.wake).set(wake);
  f.i32(0).i32(1).store(i32.atomic_store, control.waiting);
  f.get(threads).call(sum.index).get(expected).op(i32.ne).if();
  f.i32(0).get(wake).i64(nap).load(memory.atomic_wait32, control.wake).drop();
  f.end();
  f.i32(0).i32(0).store(i32.atomic_store, control.waiting);
  f.end();
  f.call(stalled);
  f.br(wait).end().end();

  f.get(group)
    .load(i32.load)
    .i32(planWords.step * 4)
    .op(i32.mul);
  f.get(group)
    .op(i32.add)
    .i32(planWords.group * 4)
    .op(i32.add)
    .set(group);
  f.end();
  pushGroupsLeft(f, groups).brIf(nextGroup).end();
  f.i32(0);
}

/** `(threads) -> chunks`: how many chunks they have run, all together, so far. */
function addChunksRun(module: ModuleWriter): FunctionWriter {
  const f = module.function(["i32"], ["i32"]);
  const threads = 0;
  const [sum] = f.locals(1);
  const next = f.loop();
  f.add(threads, -1);
  pushThread(f, threads).load(i32.atomic_load, threadWords.chunks);
  f.get(sum).op(i32.add).set(sum);
  f.get(threads).brIf(next).end();
  return f.get(sum);
}

/** `(step, chunks, threads, sequence)`: offers a group to all threads, and wakes those that sleep. */
function addPost(module: ModuleWriter): FunctionWriter {
  const f = module.function(["i32", "i32", "i32", "i32"]);
  const [step, chunks, threads, sequence] = [0, 1, 2, 3];
  const [thread, at, offered] = f.locals(3);
  f.get(threads).set(thread);
  const next = f.loop();
  f.add(thread, -1);
  pushThread(f, thread).tee(at);
  pushOfferOffset(f, sequence).op(i32.add).set(offered);
  f.get(offered).get(step).store(i32.store, offer.step);
  f.get(offered).get(chunks).store(i32.store, offer.chunks);
  f.get(offered).get(threads).store(i32.store, offer.threads);
  f.get(at);
  f.get(chunks).get(thread).op(i32.mul).get(threads).op(i32.div_u);
  f.get(sequence).op(i32.add).store(i32.atomic_store, threadWords.ticket);
  f.get(at).load(i32.atomic_load, threadWords.asleep).if();
  f.get(at).i32(0).store(i32.atomic_store, threadWords.asleep);
  f.get(at).i32(-1).load(memory.atomic_notify, threadWords.ticket).drop();
  f.end();
  f.get(thread).brIf(next).end();
  return f;
}

function addWork(module: ModuleWriter, help: FunctionWriter): void {
  const f = module.function(["i32", "i32"], [], "work");
  const [thread, epoch] = [0, 1];
  const [at, seen, ticket, turns] = f.locals(4);

  pushThread(f, thread).tee(at);
  // The present group may as well be new: if it is not, there is nothing left of it to take.
  f.load(i32.atomic_load, threadWords.ticket).i32(sequenceStep).op(i32.sub).set(seen);
  const loop = f.loop();
  f.get(at).load(i32.atomic_load, threadWords.ticket).tee(ticket);
  f.get(seen).op(i32.xor).i32(sequenceStep).op(i32.lt_u).if();
  f.addAndGet(turns, 1).i32(idleSpins).op(i32.lt_u).brIf(loop);
  f.i32(0).set(turns);
  f.get(at).i32(1).store(i32.atomic_store, threadWords.asleep);
  f.get(at).get(ticket).i64(-1).load(memory.atomic_wait32, threadWords.ticket).drop();
  f.get(at).i32(0).store(i32.atomic_store, threadWords.asleep);
  f.br(loop);
  f.end();
  f.i32(0).load(i32.atomic_load, control.epoch).get(epoch).op(i32.ne).if();
  f.return().end();
  f.get(ticket).set(seen).i32(0).set(turns);
  f.get(thread).get(ticket).i32(-sequenceStep).op(i32.and).call(help.index);
  f.br(loop).end();
}

/** Leaves the address of a thread's words on the stack. */
function pushThread(f: FunctionWriter, thread: number): FunctionWriter {
  f.get(thread).i32(control.threadShift).op(i32.shl);
  return f.i32(control.threads).op(i32.add);
}

/** Leaves on the stack where, in a thread's words, the offer of a sequence number is. */
function pushOfferOffset(f: FunctionWriter, sequence: number): FunctionWriter {
  f.get(sequence).i32(4).op(i32.shr_u).i32(16).op(i32.and);
  return f.i32(threadWords.offers).op(i32.add);
}
