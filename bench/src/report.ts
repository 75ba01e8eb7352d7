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
  const text =
    workload.flops === undefined ? timesTables(workload, results) : ratesTable(workload, results);
  const data = Object.fromEntries([...results].map(([part, list]) => [part, list.map(plain)]));
  return { title: workload.title, text, verdicts: verdicts(workload.name, results), data };
}

/** A table for each part, under its name where there are several. */
function timesTables(
  { parts }: WorkloadInfo,
  results: ReadonlyMap<string, readonly Measured[]>,
): string {
  const tables = [...results].map(([part, measured]) =>
    results.size === 1 ? timesTable(measured) : `${parts[part]}:\n\n${timesTable(measured)}`,
  );
  return tables.join("\n\n");
}

/** One line a contestant: the ratio is to Gradloom's fastest line. */
function timesTable(measured: readonly Measured[]): string {
  const reference = fastest(measured.filter((m) => m.contestant.engine === "gradloom"));
  const rows = measured.map((each) => {
    const name = label(each.contestant);
    if (each.rounds.length === 0) return [name, each.problem ?? "", "", "", ""];
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
  const columns = [...results.values()][0].map(({ contestant }) => label(contestant));
  const rows = [...results].map(([part, list]) => [
    workload.parts[part],
    ...list.map((each) =>
      each.rounds.length === 0 ? "" : (workload.flops!(part) / quietest(each) / 1e6).toFixed(1),
    ),
  ]);
  return table(["GFLOP/s", ...columns], rows);
}

function plain({ contestant, times, rounds, facts, problem }: Measured): unknown {
  const { engine, threads, relaxed } = contestant;
  return { engine, threads, relaxed, median: median(times), rounds, facts, problem };
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
