import { nodeModule } from "./node.ts";
import { type WorkerStart, workerSource } from "./worker-source.ts";

/** A worker of whichever kind the host has. */
export interface WorkerHandle {
  /** Ends it; in Node, what is returned can be awaited. */
  terminate(): unknown;
}

interface NodeWorker {
  on(event: "error" | "exit", listener: () => void): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface NodeThreads {
  readonly Worker: new (source: string, options: object) => NodeWorker;
}

interface NodeSystem {
  availableParallelism(): number;
}

/** How many threads the machine runs at once. */
export function hardwareThreads(): number {
  const system = nodeModule<NodeSystem>("node:os");
  if (system) return system.availableParallelism();
  return (
    (globalThis as { navigator?: { hardwareConcurrency?: number } }).navigator
      ?.hardwareConcurrency ?? 1
  );
}

/** Whether this thread may sleep: the main thread of a page may not. */
export function maySleep(): boolean {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 0);
    return true;
  } catch {
    return false;
  }
}

/**
 * Starts a worker that does not keep the process alive.
 *
 * @param onEnd - Called once it has ended or could not be started.
 */
export function startWorker(data: WorkerStart, onEnd: () => void): WorkerHandle {
  const threads = nodeModule<NodeThreads>("node:worker_threads");
  if (threads) {
    // Options of the command line, such as loaders of other languages, would only slow the start down.
    const worker = new threads.Worker(workerSource, { eval: true, workerData: data, execArgv: [] });
    worker.on("error", onEnd);
    worker.on("exit", onEnd);
    worker.unref();
    return { terminate: () => worker.terminate() };
  }
  const url = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
  const worker = new Worker(url);
  worker.onerror = onEnd;
  worker.postMessage(data);
  return {
    terminate() {
      worker.terminate();
      URL.revokeObjectURL(url);
    },
  };
}
