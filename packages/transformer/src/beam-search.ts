import { checkSize } from "@gradloom/layers";
import { ArgumentError, checkOptions, fromTypedArray } from "@gradloom/tensor";
import {
  type DecodingOptions,
  decodingOptions,
  readSource,
  type Sequences,
} from "./greedy-decode.ts";
import { NextToken } from "./next-token.ts";
import type { Transformer } from "./transformer.ts";

/** Options of `Transformer.beamSearch`. */
export interface BeamSearchOptions extends DecodingOptions {
  /** How many beginnings are pursued at a time. Default 4, as in the paper. */
  readonly beamSize?: number | undefined;
  /**
   * α: a target is worth `log p / ((5 + length) / 6)^α`, so that long ones are not at a disadvantage. Default 0.6, as in the
   * paper; 0 compares probabilities.
   */
  readonly lengthPenalty?: number | undefined;
}

/** The best target that is found for each source, where the likeliest beginnings are pursued. */
export async function beamSearch(
  model: Transformer,
  src: Sequences,
  options: BeamSearchOptions,
): Promise<number[] | number[][]> {
  const op = "beamSearch";
  checkOptions(op, options, { ...decodingOptions, beamSize: true, lengthPenalty: true });
  const { beamSize = 4, lengthPenalty = 0.6, bosId, eosId } = options;
  checkSize(op, "beamSize", beamSize);
  if (!Number.isFinite(lengthPenalty)) {
    throw new ArgumentError(`${op}: lengthPenalty must be finite, got ${lengthPenalty}.`, { op });
  }
  const { memory, srcPaddingMask, maxLength, pack } = readSource(op, model, src, options);
  const source = {
    memory: memory.repeatInterleave(beamSize, 0),
    srcPaddingMask: srcPaddingMask?.repeatInterleave(beamSize, 0),
  };
  const next = new NextToken(model, source, options.useCache ?? true, (logits) =>
    logits.logSoftmax(-1),
  );
  const searches = Array.from(
    { length: memory.shape[0] },
    () => new Search(beamSize, eosId, lengthPenalty),
  );
  const rows = searches.length * beamSize;
  const ids = new Int32Array(rows).fill(bosId);
  const from = Int32Array.from(ids.keys());
  for (let i = 0; i < maxLength && searches.some((search) => search.isOpen); i++) {
    const scores = next.after(fromTypedArray(ids, [rows, 1]), fromTypedArray(from));
    const logProbabilities = (await scores.data()) as ArrayLike<number>;
    const vocabulary = logProbabilities.length / rows;
    for (const [number, search] of searches.entries()) {
      if (!search.isOpen) continue;
      const first = number * beamSize;
      search.advance((beam, id) => logProbabilities[(first + beam) * vocabulary + id], vocabulary);
      for (const [beam, { ids: path, parent }] of search.beams.entries()) {
        ids[first + beam] = path[path.length - 1];
        from[first + beam] = first + parent;
      }
    }
  }
  return pack(searches.map((search) => [...search.best()]));
}

/** A beginning of a target. */
interface Beam {
  readonly ids: readonly number[];
  readonly logProbability: number;
  /** Which of the beams before it continues. */
  readonly parent: number;
}

/** The search for the target of one source. */
class Search {
  /** The likeliest beginnings, best first. */
  beams: readonly Beam[];
  readonly #finished: { readonly ids: readonly number[]; readonly score: number }[] = [];
  readonly #size: number;
  readonly #eosId: number;
  readonly #lengthPenalty: number;

  constructor(size: number, eosId: number, lengthPenalty: number) {
    this.#size = size;
    this.#eosId = eosId;
    this.#lengthPenalty = lengthPenalty;
    // All begin alike, so only one of them counts at first.
    this.beams = Array.from({ length: size }, (_, i) => ({
      ids: [],
      logProbability: i === 0 ? 0 : Number.NEGATIVE_INFINITY,
      parent: i,
    }));
  }

  /** Whether fewer targets have ended than there are beams. */
  get isOpen(): boolean {
    return this.#finished.length < this.#size;
  }

  /** Adds a token to each beam. @param of - The log-probability of a token behind a beam. */
  advance(of: (beam: number, id: number) => number, vocabulary: number): void {
    // As many as there are beams may end here; then as many still go on.
    const candidates = new Best<Beam>(2 * this.#size);
    for (const [parent, { ids, logProbability }] of this.beams.entries()) {
      for (let id = 0; id < vocabulary; id++) {
        const sum = logProbability + of(parent, id);
        if (candidates.takes(sum)) {
          candidates.add(sum, { ids: [...ids, id], logProbability: sum, parent });
        }
      }
    }
    const hasEnded = ({ ids }: Beam) => ids[ids.length - 1] === this.#eosId;
    for (const beam of candidates.items.slice(0, this.#size).filter(hasEnded)) {
      // What only fills up, while there are fewer beginnings than beams, ends nothing.
      if (beam.logProbability === Number.NEGATIVE_INFINITY) break;
      this.#finished.push({ ids: beam.ids.slice(0, -1), score: this.#score(beam) });
    }
    this.beams = candidates.items.filter((beam) => !hasEnded(beam)).slice(0, this.#size);
  }

  /** The best target that has ended; or that has not, if none has. */
  best(): readonly number[] {
    const all =
      this.#finished.length > 0
        ? this.#finished
        : this.beams.map((beam) => ({ ids: beam.ids, score: this.#score(beam) }));
    return all.reduce((a, b) => (b.score > a.score ? b : a)).ids;
  }

  #score({ ids, logProbability }: Beam): number {
    return logProbability / ((5 + ids.length) / 6) ** this.#lengthPenalty;
  }
}

/** The items with the highest scores, best first; of equals the first one. */
class Best<T> {
  readonly items: T[] = [];
  readonly #scores: number[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether an item of this score would be among them. */
  takes(score: number): boolean {
    return this.items.length < this.#most || score > this.#scores[this.#most - 1];
  }

  add(score: number, item: T): void {
    let at = this.items.length;
    while (at > 0 && score > this.#scores[at - 1]) at--;
    this.items.splice(at, 0, item);
    this.#scores.splice(at, 0, score);
    this.items.length = this.#scores.length = Math.min(this.#most, this.items.length);
  }
}
