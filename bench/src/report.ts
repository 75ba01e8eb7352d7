import { cpus } from "node:os";
import type { Section } from "./others.ts";
import { fastest, type Measured, quietest, ratio } from "./rounds.ts";
import { median, spread } from "./statistics.ts";
import { milliseconds, table } from "./table.ts";
import { label, verdicts } from "./targets.ts";
import type { WorkloadInfo } from "./workloads.ts";

/** The table and verdicts of a workload that all contestants have run. */
export function section(
  workload: WorkloadInfo,
  results: ReadonlyMap<string, readonly Measured[]>,
): Section {
  const tables =
    workload.flops === undefined ? timesTables(workload, results) : ratesTable(workload, results);
  const text = [tables, bandwidth(results)].filter((part) => part !== "").join("\n\n");
  const data = Object.fromEntries([...results].map(([part, list]) => [part, list.map(plain)]));
  return { title: workload.title, text, verdicts: verdicts(workload.name, results), data };
}

/** A table for each part, under its name where there are several. */
function timesTables(
  { parts }: WorkloadInfo,
  results: ReadonlyMap<string, readonly Measured[]>,
): string {
  const tables = [...results].map(([part, measured]) => {
    const text = [timesTable(measured), reasons(measured)].join("\n\n").trim();
    return results.size === 1 ? text : `${parts[part]}:\n\n${text}`;
  });
  return tables.join("\n\n");
}

/** One line a contestant: the ratio is to Gradloom's fastest line. */
function timesTable(measured: readonly Measured[]): string {
  const reference = fastest(measured.filter((m) => m.contestant.engine === "gradloom"));
  const rows = measured.map((each) => {
    const name = label(each.contestant);
    if (each.rounds.length === 0) return [name, inShort(each), "", "", ""];
    const times = reference === undefined ? "" : ratio(each, reference).toFixed(2);
    return [
      name,
      milliseconds(median(each.times)),
      milliseconds(Math.min(...each.times)),
      `${(spread(each.times) * 100).toFixed(0)} %`,
      times,
    ];
  });
  return table(["", "median", "best", "spread", "× Gradloom's best"], rows);
}

/** One line a part, one column a contestant, in GFLOP/s of the quietest round. */
function ratesTable(
  workload: WorkloadInfo,
  results: ReadonlyMap<string, readonly Measured[]>,
): string {
  const columns = [...new Set([...results.values()].flat().map((each) => label(each.contestant)))];
  const rows = [...results].map(([part, list]) => [
    workload.parts[part],
    ...columns.map((column) => {
      const each = list.find(({ contestant }) => label(contestant) === column);
      if (each === undefined) return "";
      return each.rounds.length === 0
        ? inShort(each)
        : (workload.flops!(part) / quietest(each) / 1e6).toFixed(1);
    }),
  ]);
  const why = [...results].map(([part, list]) => reasons(list, `${workload.parts[part]}, `));
  const text = [table(["GFLOP/s", ...columns], rows), why.filter((w) => w !== "").join("\n")];
  return text.join("\n\n").trim();
}

/** Why there is no time, in the words before the first colon or full stop: "no gradient". */
const inShort = ({ problem = "" }: Measured): string => problem.split(/[:.]/)[0];

/** The same in full, a line for each contestant without a time. */
function reasons(measured: readonly Measured[], part = ""): string {
  return measured
    .filter((each) => each.problem !== undefined && each.problem !== inShort(each))
    .map(({ contestant, problem }) => `- ${part}${label(contestant)}: ${problem}`)
    .join("\n");
}

/**
 * Decoding reads each weight once a token: how many bytes a second that is, as a share of what the better
 * engine reads when it does nothing else.
 */
function bandwidth(results: ReadonlyMap<string, readonly Measured[]>): string {
  const reads = results.get("gpt2-read") ?? [];
  const rows = (results.get("gpt2-decode") ?? []).flatMap((decoding) => {
    const { threads } = decoding.contestant;
    const best = fastest(reads.filter(({ contestant }) => contestant.threads === threads));
    if (best === undefined || decoding.rounds.length === 0) return [];
    const rate = ({ times }: Measured) => (gpt2Bytes / median(times) / 1e6).toFixed(1);
    const share = `${(ratio(best, decoding) * 100).toFixed(0)} %`;
    return [[label(decoding.contestant), rate(decoding), rate(best), share]];
  });
  if (rows.length === 0) return "";
  const columns = ["gpt2-decode", "weights read, GB/s", "memory gives, GB/s", "share"];
  return `Share of the memory's bandwidth:\n\n${table(columns, rows)}`;
}

/** GPT-2's 124M weights in float32. */
const gpt2Bytes = 4 * 124_439_808;

function plain({ contestant, times, rounds, facts, problem }: Measured): unknown {
  const { engine, threads, simd } = contestant;
  return { engine, threads, simd, median: median(times), rounds, facts, problem };
}

/** A section as text, in Markdown. */
export function show({ title, text, verdicts }: Section): string {
  const lines = verdicts.map(
    ({ goal, measured, met }) => `- ${met ? "met" : "missed"}: ${goal}; measured ${measured}`,
  );
  const heading = `### ${title[0].toUpperCase()}${title.slice(1)}`;
  return [heading, text, ...(lines.length > 0 ? [lines.join("\n")] : [])].join("\n\n");
}

/** On what all of it ran. */
export function machine(): string {
  const processors = cpus();
  const { node, v8 } = process.versions;
  return `${processors.length} × ${processors[0]?.model.trim()}, ${process.platform}, Node ${node} (V8 ${v8})`;
}
