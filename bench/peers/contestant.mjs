import { serve } from "../dist/serve.js";

/** What every contestant does: serve its workloads, or with `--first-loss` print one loss and end. */
export async function serveOrFirstLoss(workloads, firstLoss) {
  if (!process.argv.includes("--first-loss")) return serve(workloads);
  process.stdout.write(`first loss ${await firstLoss()}\n`);
}
