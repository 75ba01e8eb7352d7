import type { Contestant, Session } from "./contestant.ts";
import { median } from "./statistics.ts";

/** What a contestant took for one part of a workload. */
export interface Measured {
  readonly contestant: Contestant;
  /** Milliseconds of every sample. */
  readonly times: number[];
  /** The median of each round. */
  readonly rounds: number[];
  facts: Readonly<Record<string, number>>;
  problem?: string;
}

export interface Pace {
  readonly rounds: number;
  /** Milliseconds of warming up, and of each round. */
  readonly warmUp: number;
  readonly budget: number;
  /** A contestant that has used more milliseconds than this sits out the remaining rounds. */
  readonly patience: number;
}

/**
 * Times one part of a workload. Contestants take turns, A B C A B C …, so that what happens to the
 * machine meanwhile happens to all of them.
 */
export async function alternate(
  part: string,
  sessions: ReadonlyMap<Contestant, Session>,
  pace: Pace,
): Promise<Measured[]> {
  const results: Measured[] = [];
  const used = new Map<Measured, number>();
  for (const contestant of sessions.keys()) {
    if (contestant.only?.includes(part) === false) continue;
    results.push({ contestant, times: [], rounds: [], facts: {} });
  }
  for (let round = 0; round < pace.rounds; round++) {
    for (const result of results) {
      const spent = used.get(result) ?? 0;
      if (result.problem !== undefined || spent > pace.patience) continue;
      const start = performance.now();
      const session = sessions.get(result.contestant)!;
      const { warmUp, budget } = pace;
      const reply = await session.ask({ workload: part, warmUp, budget });
      used.set(result, spent + performance.now() - start);
      if (reply.times === undefined) {
        result.problem = reply.unsupported === true ? "not there" : (reply.error ?? "no answer");
        continue;
      }
      result.times.push(...reply.times);
      result.rounds.push(median(reply.times));
      result.facts = reply.facts ?? {};
    }
  }
  return results;
}

/** The median of the quietest round: what a rate is made of, since the machine is shared. */
export function quietest({ rounds }: Measured): number {
  return Math.min(...rounds);
}

/** How many times as long `a` takes as `b`: the middle of the ratios of the rounds they shared. */
export function ratio(a: Measured, b: Measured): number {
  const shared = Math.min(a.rounds.length, b.rounds.length);
  return median(a.rounds.slice(0, shared).map((time, round) => time / b.rounds[round]));
}

/** The contestant with the least median; undefined if none has finished. */
export function fastest(results: readonly Measured[]): Measured | undefined {
  const finished = results.filter((result) => result.rounds.length > 0);
  return finished.reduce<Measured | undefined>(
    (best, result) =>
      best === undefined || median(result.times) < median(best.times) ? result : best,
    undefined,
  );
}
