import type { KernelReport, PlanReport } from "@gradloom/engine";
import { engine } from "./engine.ts";
import { printAsText } from "./format.ts";
import { type Peak, peakOf } from "./peak.ts";
import { requireSynchronous } from "./synchronous.ts";
import type { Tensor } from "./tensor.ts";

/** What plans do, kernel by kernel; prints itself as a table. */
export class Report {
  readonly plans: readonly PlanReport[];
  readonly #peak: Peak | undefined;

  static {
    printAsText(Report.prototype);
  }

  constructor(plans: readonly PlanReport[], peak: Peak | undefined) {
    this.plans = plans;
    this.#peak = peak;
  }

  /** Milliseconds of all kernels, where they were measured. */
  get milliseconds(): number {
    return sumOf(
      this.plans.flatMap(({ kernels }) => kernels),
      "milliseconds",
    );
  }

  toString(): string {
    if (this.plans.length === 0) return "nothing to compute";
    return this.plans.map((plan, i) => this.#table(plan, i)).join("\n\n");
  }

  #table({ kernels, arenaBytes, recomputed }: PlanReport, number: number): string {
    const rows = kernels.map((kernel) => [
      kernel.kind,
      kernel.sizes.join("×"),
      kernel.operations.join(" "),
      ...amounts([kernel]),
      this.#share(kernel),
    ]);
    const header = ["kernel", "sizes", "operations", "bytes", "FLOPs", "ms", "of peak"];
    const total = ["total", "", "", ...amounts(kernels), ""];
    const columns = this.#peak ? 7 : 5;
    const count = `${kernels.length} ${kernels.length === 1 ? "kernel" : "kernels"}`;
    const again = recomputed > 0 ? `; ${recomputed} operations had been computed before` : "";
    const title = `plan ${number + 1}: ${count}, ${amount(arenaBytes)}B of temporaries${again}`;
    const table = [header, ...rows, total].map((row) => row.slice(0, columns));
    return [title, ...align(table)].join("\n");
  }

  /** How much of the time the machine's peak for this kernel's FLOPs or bytes would have taken. */
  #share({ flops, bytes, milliseconds }: KernelReport): string {
    if (!this.#peak || !milliseconds) return "";
    const least = Math.max(flops / this.#peak.flops, bytes / this.#peak.bytes) * 1e3;
    return `${Math.round((100 * least) / milliseconds)} %`;
  }
}

type Measure = "bytes" | "flops" | "milliseconds";

function sumOf(kernels: readonly KernelReport[], measure: Measure): number {
  return kernels.reduce((sum, kernel) => sum + (kernel[measure] ?? 0), 0);
}

/** Bytes, FLOPs and milliseconds, together. */
function amounts(kernels: readonly KernelReport[]): string[] {
  return [
    amount(sumOf(kernels, "bytes")),
    amount(sumOf(kernels, "flops")),
    sumOf(kernels, "milliseconds").toFixed(3),
  ];
}

/**
 * The plan that reading a tensor would run: its kernels, the operations fused into each, and the bytes and FLOPs that
 * they take. Runs nothing.
 *
 * @example
 * ```ts
 * console.log(explain(x.matmul(w).add(b).relu()));
 * ```
 */
export function explain(tensor: Tensor): Report {
  return new Report([engine().explain(tensor.node)], undefined);
}

/**
 * Runs `fn` and reports each plan that ran, with the time of each kernel and its share of what this machine can
 * do. Kernels run one by one, so the whole takes longer than otherwise.
 *
 * @throws ArgumentError if `fn` is asynchronous.
 *
 * @example
 * ```ts
 * console.log(profile(() => step()).report);
 * ```
 */
export function profile<Result>(fn: () => Result): { result: Result; report: Report } {
  const current = engine();
  const peak = peakOf(current);
  const { result, reports } = current.profile(() => requireSynchronous("profile", fn()));
  return { result, report: new Report(reports, peak) };
}

/** A number with three digits and a prefix: `1.57 M`. */
function amount(value: number): string {
  if (value < 999.5) return `${value} `;
  let scaled = value;
  let prefix = "";
  for (const larger of "kMGT") {
    if (scaled < 999.5) break;
    scaled /= 1000;
    prefix = larger;
  }
  return `${scaled.toPrecision(3)} ${prefix}`;
}

/** Columns side by side: three of words, then numbers. */
function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i > 2 ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join("  ")
      .trimEnd(),
  );
}
