import type { Contestant } from "./contestant.ts";
import { fastest, type Measured, quietest, ratio } from "./rounds.ts";

/** A goal of the project, and how far it is reached. */
export interface Verdict {
  readonly goal: string;
  readonly measured: string;
  readonly met: boolean;
}

/** Times PyTorch's that a part of a workload may take, without and with fused multiply-add. Those without a target are not here. */
const limits: Readonly<Record<string, readonly [plain: number, relaxed?: number]>> = {
  "conv2d-forward": [2],
  "conv2d-gradients": [2],
  convnet: [1.6],
  "unet-forward": [1.6],
  "unet-step": [1.6],
  "lstm-forward": [1.1],
  "lstm-gradients": [1.1],
  "moe-forward": [1.5],
  "moe-gradients": [1.5],
  "gpt2-prompt": [2.1, 1.8],
  "gpt2-decode": [1 / 1.2],
  "gpt2-step": [2.1, 1.8],
  "nanogpt-step": [0.9],
  "lstm-1000": [1.1],
  "lstm-generation": [1 / 3],
  "transformer-forward": [1.8, 1.5],
  "transformer-gradients": [1.8, 1.5],
};

type Results = ReadonlyMap<string, readonly Measured[]>;

/** What the issue asks of each workload. */
export function verdicts(workload: string, results: Results): Verdict[] {
  const only = [...results.values()][0] ?? [];
  switch (workload) {
    case "dnn":
      return [...against(only, "torch", 0.35), ...compiledOnce(only)];
    case "dnn-compiled":
      return compiledOnce(only);
    case "mlp-step":
      return [...against(only, "torch", 1.6), ...against(only, "peer", 0.25)];
    case "matmul":
      return products(results);
    case "greedy":
      return cached(results.get("greedy-cached") ?? [], results.get("greedy-again") ?? []);
    case "adam":
      return optimizerStep(results);
    case "softmax":
    case "layer-norm":
    case "gelu-erf":
    case "gelu-tanh":
      return perThreads(only);
    case "convnet":
      return [...againstTorch(results), ...against(only, "peer", 1 / 30)];
    case "lstm":
      return [...againstTorch(results), ...againstPeers(results, 1 / 5)];
    case "moe":
      return [...againstTorch(results), ...shares(results)];
    default:
      return againstTorch(results);
  }
}

function againstTorch(results: Results): Verdict[] {
  return [...results].flatMap(([part, measured]) => {
    const [plain, relaxed] = limits[part] ?? [];
    return plain === undefined ? [] : against(measured, "torch", plain, part, relaxed);
  });
}

/** For the parts that a peer can do. */
function againstPeers(results: Results, limit: number): Verdict[] {
  return [...results].flatMap(([part, measured]) => against(measured, "peer", limit, part));
}

/** What two experts of eight cost, as a part of what all cost, for each setting. */
function shares(results: Results): Verdict[] {
  return ["moe-forward", "moe-gradients"].flatMap((part) => {
    const all = results.get(`${part}-all`) ?? [];
    return of(results.get(part) ?? [], (c) => c.engine === "gradloom").flatMap((ours) => {
      const whole = of(all, (c) => c === ours.contestant)[0];
      const goal = `${part}: ≤ 0.4 × the time of running all experts`;
      return whole === undefined ? [] : [atMost(ours, whole, 0.4, goal)];
    });
  });
}

const settings = (results: readonly Measured[]): Measured[][] =>
  (["plain", "relaxed", "wide"] as const)
    .map((simd) => of(results, (c) => c.engine === "gradloom" && c.simd === simd))
    .filter((group) => group.length > 0);

const of = (results: readonly Measured[], test: (c: Contestant) => boolean): Measured[] =>
  results.filter(({ contestant, rounds }) => test(contestant) && rounds.length > 0);

/** The best number of threads of each side. */
function against(
  results: readonly Measured[],
  who: "torch" | "peer",
  plainLimit: number,
  part = "",
  relaxedLimit: number = plainLimit,
): Verdict[] {
  const isPeer = (c: Contestant) => c.engine === "jax-js" || c.engine === "tfjs";
  const rival = fastest(of(results, who === "torch" ? (c) => c.engine === "torch" : isPeer));
  if (rival === undefined) return [];
  return settings(results).map((group) => {
    const ours = fastest(group)!;
    const limit = ours.contestant.simd === "plain" ? plainLimit : relaxedLimit;
    const name =
      who === "torch" ? "PyTorch (its better number of threads)" : "the best JavaScript peer";
    const goal = `${part === "" ? "" : `${part}: `}≤ ${Number(limit.toFixed(3))} × the time of ${name}`;
    return atMost(ours, rival, limit, goal);
  });
}

/** Decoding with a cache against decoding without, on as many threads. */
function cached(results: readonly Measured[], without: readonly Measured[]): Verdict[] {
  return of(results, (c) => c.engine === "gradloom").flatMap((fast) => {
    const slow = without.find(({ contestant }) => contestant === fast.contestant);
    if (slow === undefined || slow.rounds.length === 0) return [];
    const factor = ratio(slow, fast);
    const same = slow.facts.sumOfTokens === fast.facts.sumOfTokens;
    return [
      {
        goal: "≥ 5 × faster with a cache, the same tokens",
        measured: `${factor.toFixed(1)} ×, ${same ? "the same" : "other"} tokens (${label(fast.contestant)})`,
        met: factor >= 5 && same,
      },
    ];
  });
}

function perThreads(results: readonly Measured[]): Verdict[] {
  return of(results, (c) => c.engine === "torch").flatMap((rival) => {
    const { threads } = rival.contestant;
    const ours = of(results, (c) => c.engine === "gradloom" && c.threads === threads);
    const goal = `≤ PyTorch's time on ${threads === 1 ? "1 thread" : `${threads} threads`}`;
    return ours.map((each) => atMost(each, rival, 1, goal));
  });
}

function atMost(ours: Measured, rival: Measured, limit: number, goal: string): Verdict {
  const factor = ratio(ours, rival);
  const [left, right] = [ours, rival].map(({ contestant }) => label(contestant));
  const measured = `${factor.toFixed(limit < 0.1 ? 4 : 2)} × (${left} : ${right})`;
  return { goal, measured, met: factor <= limit };
}

/** A step moves seven floats a parameter, a copy two. */
function optimizerStep(results: Results): Verdict[] {
  const [steps, copies] = ["adam-step", "adam-copy"].map((part) => results.get(part) ?? []);
  const torch = [steps, results.get("adam-single") ?? []].flatMap((all) =>
    of(all, (c) => c.engine === "torch"),
  );
  return of(steps, (c) => c.engine === "gradloom").flatMap((ours) => {
    const isSame = (c: Contestant) => label(c) === label(ours.contestant);
    const copy = of(copies, isSame)[0];
    const rivals = torch.filter((rival) => rival.contestant.threads === ours.contestant.threads);
    const rival = fastest(rivals);
    const limit = 1.1 * 3.5;
    const goal = `≤ ${limit.toFixed(2)} × the time of a copy (1.1 × what the bytes take)`;
    return [
      ...(copy === undefined ? [] : [atMost(ours, copy, limit, goal)]),
      ...(rival === undefined ? [] : [atMost(ours, rival, 1, "≤ PyTorch's better way")]),
    ];
  });
}

function compiledOnce(results: readonly Measured[]): Verdict[] {
  return of(results, (c) => c.engine === "gradloom").map(({ contestant, facts }) => ({
    goal: "the second and later steps compile nothing",
    measured: `${facts.kernelsOfLaterSteps} kernels (${label(contestant)})`,
    met: facts.kernelsOfLaterSteps === 0,
  }));
}

const rate = (part: string, result: Measured): number =>
  (2 * Number(part.split("-")[1]) ** 3) / quietest(result) / 1e6;

/** Rates of matrix products: the slowest size and layout must reach the goal. */
function products(results: Results): Verdict[] {
  const rows = [...results].flatMap(([part, measured]) =>
    of(measured, (c) => c.engine === "gradloom").map((result) => ({
      key: label(result.contestant),
      contestant: result.contestant,
      part,
      rate: rate(part, result),
    })),
  );
  return [...new Set(rows.map((row) => row.key))].flatMap((key) => {
    const mine = rows.filter((row) => row.key === key);
    const { threads, simd } = mine[0].contestant;
    const one = simd === "plain" ? 38 : 48;
    const goal = threads === 1 ? one : one * 1.8;
    const worst = mine.reduce((a, b) => (a.rate < b.rate ? a : b));
    const sizes = [...new Set(mine.map((row) => row.part.split("-")[1]))];
    const uneven = Math.max(
      ...sizes.map((n) => {
        const rates = mine.filter((row) => row.part.split("-")[1] === n).map((row) => row.rate);
        return Math.max(...rates) / Math.min(...rates) - 1;
      }),
    );
    return [
      {
        goal: `≥ ${goal.toFixed(0)} GFLOP/s`,
        measured: `${worst.rate.toFixed(1)} at worst, ${worst.part} (${key})`,
        met: worst.rate >= goal,
      },
      {
        goal: "within 10 % across transpositions",
        measured: `${(uneven * 100).toFixed(0)} % (${key})`,
        met: uneven <= 0.1,
      },
    ];
  });
}

/** A contestant with its number of threads. */
export function label({ name, threads }: Contestant): string {
  return `${name}, ${threads} ${threads === 1 ? "thread" : "threads"}`;
}
