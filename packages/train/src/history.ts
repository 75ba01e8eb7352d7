import type { Callback, Run } from "./callback.ts";
import { nodeFiles, nodePath } from "./node-host.ts";
import type { EpochRecord } from "./records.ts";
import { requirePath } from "./require-path.ts";

/**
 * Writes a record of each epoch into a file, one line of JSON each. A line is on the disk before the next epoch begins,
 * so that a crash takes none of those before. A training that goes on from a checkpoint goes on with the file: epochs
 * behind the checkpoint are written again. One that begins anew begins the file anew.
 *
 * @example
 * ```ts
 * const callbacks = [new History("run/history.jsonl")];
 * ```
 */
export class History implements Callback {
  readonly path: string;

  constructor(path: string) {
    requirePath("History", "path", path);
    this.path = path;
  }

  async onStart(run: Run): Promise<void> {
    const files = nodeFiles("History");
    await files.mkdir(nodePath("History").dirname(this.path), { recursive: true });
    // What the checkpoint knows is what happened; the file may have less, more, or half a line at its end.
    const temporary = `${this.path}.tmp`;
    await write(temporary, "w", run.history.map(line).join(""));
    await files.rename(temporary, this.path);
  }

  onEpochEnd(record: EpochRecord): Promise<void> {
    return write(this.path, "a", line(record));
  }
}

/** Brings a text to the disk. */
async function write(path: string, flags: "w" | "a", text: string): Promise<void> {
  const file = await nodeFiles("History").open(path, flags);
  try {
    await file.appendFile(text);
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** JSON has no NaN and no infinities: they are null. */
function line(record: EpochRecord): string {
  return `${JSON.stringify(record)}\n`;
}
