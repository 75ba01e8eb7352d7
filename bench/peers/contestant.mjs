import { serve } from "../dist/serve.js";

/**
 * What every contestant does: serve its workloads, or with `--first-loss` print one loss and end. Some workloads take these
 * peers long: beyond ten seconds one run must do.
 */
export async function serveOrFirstLoss(workloads, firstLoss) {
  if (!process.argv.includes("--first-loss")) return serve(workloads, 10_000);
  process.stdout.write(`first loss ${await firstLoss()}\n`);
}

/** Instead of a workload that would hold up all others: says what one run of it takes. */
export function leftOut(time) {
  throw new Error(`left out: one run takes ${time}`);
}
