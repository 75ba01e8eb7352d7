import { type Contestant, Session } from "./contestant.ts";
import type { Section } from "./others.ts";
import { table } from "./table.ts";
import { label, type Verdict } from "./targets.ts";

/** Whose memory is compared, with the most that it may be as a multiple of PyTorch's. */
const parts: Readonly<Record<string, { readonly title: string; readonly limit?: number }>> = {
  "unet-step": { title: "training step of U-Net 64 … 1024, [1, 3, 128, 128]", limit: 1.2 },
  "gpt2-prompt": { title: "GPT-2 124M, prompt of 256", limit: 1.2 },
  "gpt2-step": { title: "GPT-2 124M, training step of 1 × 256", limit: 1.2 },
  "attention-1024": { title: "attention of 8 heads, both directions, T = 1,024" },
  "attention-2048": { title: "the same, T = 2,048" },
  "attention-4096": { title: "the same, T = 4,096" },
};

/**
 * The most memory that a process has resident while it sets a workload up and runs it a few times: a fresh process for
 * each. PyTorch without the settings that make its malloc keep memory.
 */
export async function peaks(contestants: readonly Contestant[]): Promise<Section> {
  const threads = Math.max(...contestants.map((each) => each.threads));
  const chosen = (["gradloom", "torch"] as const).flatMap(
    (engine) => contestants.find((c) => c.engine === engine && c.threads === threads) ?? [],
  );
  const bytes = new Map<Contestant, Record<string, number>>(chosen.map((each) => [each, {}]));
  const problems: string[] = [];
  for (const part of Object.keys(parts)) {
    for (const [contestant, row] of bytes) {
      process.stderr.write(`memory of ${part} ...\r`);
      const session = new Session({ ...contestant, env: {} });
      const { peak, error } = await session.ask({ workload: part, warmUp: 0, budget: 0 });
      session.end();
      if (peak === undefined) problems.push(`- ${part}, ${label(contestant)}: ${error}`);
      else row[part] = peak;
    }
  }
  const rows = Object.entries(parts).map(([part, { title }]) => [
    title,
    ...chosen.map((each) => megabytes(bytes.get(each)![part])),
  ]);
  const text = table(["MB", ...chosen.map(label)], rows);
  return {
    title: "memory: the most that a process has resident",
    text: [text, problems.join("\n")].join("\n\n").trim(),
    verdicts: chosen
      .filter(({ engine }) => engine === "gradloom")
      .flatMap((each) => [...againstTorch(each, bytes), ...linear(bytes.get(each)!, label(each))]),
    data: Object.fromEntries([...bytes].map(([contestant, row]) => [label(contestant), row])),
  };
}

const megabytes = (bytes: number | undefined): string =>
  bytes === undefined ? "" : (bytes / 1e6).toFixed(0);

function againstTorch(
  ours: Contestant,
  bytes: ReadonlyMap<Contestant, Readonly<Record<string, number>>>,
): Verdict[] {
  const rival = [...bytes].find(([{ engine }]) => engine === "torch")?.[1];
  return Object.entries(parts).flatMap(([part, { limit }]) => {
    const factor = bytes.get(ours)![part] / (rival?.[part] ?? Number.NaN);
    if (limit === undefined || Number.isNaN(factor)) return [];
    const goal = `${part}: ≤ ${limit} × PyTorch's memory`;
    return [{ goal, measured: `${factor.toFixed(2)} × (${label(ours)})`, met: factor <= limit }];
  });
}

/** What twice the positions add: twice as much if memory is linear, four times if it is quadratic. */
function linear(row: Readonly<Record<string, number>>, name: string): Verdict[] {
  const [a, b, c] = [1024, 2048, 4096].map((length) => row[`attention-${length}`]);
  if (a === undefined || b === undefined || c === undefined) return [];
  const measured = `+${megabytes(b - a)} MB from 1,024 to 2,048, +${megabytes(c - b)} MB to 4,096 (${name})`;
  return [{ goal: "attention: linear in T", measured, met: c - b <= 2.5 * (b - a) }];
}
