import type { Plan } from "./plan.ts";
import type { Walk } from "./walk.ts";

/** Plans kept at most; the least recently used goes first. */
const capacity = 256;

/** Plans by the hash of their structure, each confirmed by comparing the structure exactly. */
export class PlanCache {
  // A map keeps its keys in the order of insertion: moving a key to the end makes it the latest.
  readonly #byHash = new Map<number, Plan[]>();
  size: number = 0;

  find(walk: Walk): Plan | undefined {
    const plans = this.#byHash.get(walk.hash);
    const plan = plans?.find(({ signature }) => walk.matches(signature));
    if (plan !== undefined && this.size > capacity / 2) {
      this.#byHash.delete(walk.hash);
      this.#byHash.set(walk.hash, plans!);
    }
    return plan;
  }

  add(hash: number, plan: Plan): void {
    const plans = this.#byHash.get(hash);
    if (plans === undefined) this.#byHash.set(hash, [plan]);
    else plans.push(plan);
    this.size += 1;
    if (this.size <= capacity) return;
    const [oldest, dropped] = this.#byHash.entries().next().value!;
    this.#byHash.delete(oldest);
    this.size -= dropped.length;
    for (const { executable } of dropped) executable.dispose?.();
  }

  /** The largest arena that a plan needs. */
  get arenaBytes(): number {
    let most = 0;
    for (const plans of this.#byHash.values()) {
      for (const { program } of plans) most = Math.max(most, program.arenaBytes);
    }
    return most;
  }
}
