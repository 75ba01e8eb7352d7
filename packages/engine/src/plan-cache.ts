import type { Plan } from "./plan.ts";
import type { Walk } from "./walk.ts";

/** Plans kept at most, and kernels in all of them, each some 3 KB; the least recently used goes first. */
const capacity = 256;
const mostKernels = 32_768;

/** Plans by the hash of their structure, each confirmed by comparing the structure exactly. */
export class PlanCache {
  // A map keeps its keys in the order of insertion: moving a key to the end makes it the latest.
  readonly #byHash = new Map<number, Plan[]>();
  /** What was found last: in a loop it is the one again, and needs no hash to be found. */
  #latest: Plan | undefined;
  size: number = 0;
  #kernels = 0;

  /** The plan for a structure; `make` makes it if there is none. */
  find(walk: Walk, make: () => Plan): Plan {
    if (!this.#latest || !walk.matches(this.#latest.signature))
      this.#latest = this.#look(walk, make);
    return this.#latest;
  }

  #look(walk: Walk, make: () => Plan): Plan {
    const hash = walk.hash;
    const plans = this.#byHash.get(hash) ?? [];
    const known = plans.find(({ signature }) => walk.matches(signature));
    const plan = known ?? make();
    this.#byHash.delete(hash);
    this.#byHash.set(hash, plans);
    if (!known) {
      plans.push(plan);
      this.size += 1;
      this.#kernels += plan.program.kernels.length;
      this.#dropOldest();
    }
    return plan;
  }

  #dropOldest(): void {
    for (const [oldest, dropped] of this.#byHash) {
      if (this.#byHash.size === 1) return;
      if (this.size <= capacity && this.#kernels <= mostKernels) return;
      this.#byHash.delete(oldest);
      this.size -= dropped.length;
      for (const { executable, program } of dropped) {
        this.#kernels -= program.kernels.length;
        executable.dispose?.();
      }
    }
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
