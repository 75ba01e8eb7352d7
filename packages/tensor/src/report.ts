import type { KernelReport, PlanReport } from "@gradloom/engine";
import { engine } from "./engine.ts";
import { type Peak, peakOf } from "./peak.ts";
import { requireSynchronous } from "./synchronous.ts";
import type { Tensor } from "./tensor.ts";

/** What plans do, kernel by kernel; prints itself as a table. */
export class Report {
  readonly plans: readonly PlanReport[];
  private readonly peak: Peak | undefined;

  constructor(plans: readonly PlanReport[], peak: Peak | undefined) {
    this.plans = plans;
    this.peak = peak;
  }

  /** Milliseconds of all kernels, where they were measured. */
  get milliseconds(): number {
    let sum = 0;
    for (const { kernels } of this.plans) for (const k of kernels) sum += k.milliseconds ?? 0;
    return sum;
  }

  toString(): string {
    if (this.plans.length === 0) return "nothing to compute";
    return this.plans.map((plan, i) => this.table(plan, i)).join("\n\n");
  }

  static {
    Object.defineProperty(Report.prototype, Symbol.for("nodejs.util.inspect.custom"), {
      value(this: Report): string {
        return this.toString();
      },
    });
  }

  private table({ kernels, arenaBytes, recomputed }: PlanReport, number: number): string {
    const timed = this.peak !== undefined;
    const header = ["kernel", "sizes", "operations", "bytes", "FLOPs"];
    if (timed) header.push("ms", "of peak");
    const rows = kernels.map((kernel) => {
      const row = [
        kernel.kind,
        kernel.sizes.join("×"),
        kernel.operations.join(" "),
        amount(kernel.bytes),
        amount(kernel.flops),
      ];
      if (timed) row.push((kernel.milliseconds ?? 0).toFixed(3), this.share(kernel));
      return row;
    });
    const sum = (of: (kernel: KernelReport) => number) => kernels.reduce((a, k) => a + of(k), 0);
    const total = ["total", "", "", amount(sum((k) => k.bytes)), amount(sum((k) => k.flops))];
    if (timed) total.push(sum((k) => k.milliseconds ?? 0).toFixed(3), "");
    const count = `${kernels.length} ${kernels.length === 1 ? "kernel" : "kernels"}`;
    const again = recomputed > 0 ? `; ${recomputed} operations had been computed before` : "";
    const title = `plan ${number + 1}: ${count}, ${amount(arenaBytes)}B of temporaries${again}`;
    return [title, ...align([header, ...rows, total])].join("\n");
  }

  /** How much of the time the machine's peak for this kernel's FLOPs or bytes would have taken. */
  private share({ flops, bytes, milliseconds }: KernelReport): string {
    if (this.peak === undefined || !milliseconds) return "";
    const least = Math.max(flops / this.peak.flops, bytes / this.peak.bytes) * 1e3;
    return `${Math.round((100 * least) / milliseconds)} %`;
  }
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
  const prefixes = ["", "k", "M", "G", "T"];
  let power = 0;
  let scaled = value;
  while (scaled >= 999.5 && power < prefixes.length - 1) {
    scaled /= 1000;
    power += 1;
  }
  return `${power === 0 ? scaled : scaled.toPrecision(3)} ${prefixes[power]}`;
}

function align(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const isNumber = (column: number) => column > 2;
  return rows.map((row) =>
    row
      .map((cell, i) => (isNumber(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join("  ")
      .trimEnd(),
  );
}
