import type { DatasetModule } from "./dataset.ts";
import { type BatchReply, type BatchRequest, workerSource } from "./worker-source.ts";

/** A worker of whichever kind the host has. */
export interface WorkerThread {
  post(request: BatchRequest): void;
  /** Whether it keeps the process alive. */
  hold(isHeld: boolean): void;
  terminate(): unknown;
}

interface NodeWorker {
  on(event: "message", listener: (reply: BatchReply) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  on(event: "exit", listener: (code: number) => void): void;
  postMessage(message: unknown): void;
  ref(): void;
  unref(): void;
  terminate(): Promise<number>;
}

interface NodeThreads {
  readonly Worker: new (source: string, options: object) => NodeWorker;
}

/** Node's module, out of sight of bundlers that build for browsers. */
function nodeThreads(): NodeThreads | undefined {
  const host = globalThis as {
    process?: { getBuiltinModule?: (name: string) => NodeThreads | undefined };
  };
  return host.process?.getBuiltinModule?.("node:worker_threads");
}

/**
 * Starts a worker that has a dataset. It does not keep the process alive unless it is held.
 *
 * @param onEnd - Called with the reason once it has ended or could not be started.
 */
export function startWorker(
  { url, factory, args }: DatasetModule,
  onReply: (reply: BatchReply) => void,
  onEnd: (reason: unknown) => void,
): WorkerThread {
  const data = { url, factory, args };
  const threads = nodeThreads();
  if (threads !== undefined) {
    const worker = new threads.Worker(workerSource, { eval: true, workerData: data });
    worker.on("message", onReply);
    worker.on("error", onEnd);
    worker.on("exit", (code) => onEnd(`its end with code ${code}`));
    worker.unref();
    return {
      post: (request) => worker.postMessage(request),
      hold: (isHeld) => (isHeld ? worker.ref() : worker.unref()),
      terminate: () => worker.terminate(),
    };
  }
  const source = URL.createObjectURL(new Blob([workerSource], { type: "text/javascript" }));
  const worker = new Worker(source);
  worker.onmessage = ({ data: reply }: MessageEvent<BatchReply>) => onReply(reply);
  worker.onerror = ({ message }) => onEnd(message);
  worker.postMessage(data);
  return {
    post: (request) => worker.postMessage(request),
    hold: () => {},
    terminate() {
      worker.terminate();
      URL.revokeObjectURL(source);
    },
  };
}
