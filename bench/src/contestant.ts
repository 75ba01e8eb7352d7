import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Reply, Request } from "./protocol.ts";

/** An engine in one setting. */
export interface Contestant {
  readonly name: string;
  readonly engine: "gradloom" | "jax-js" | "tfjs" | "torch";
  readonly threads: number;
  /** What Gradloom's host does with vectors. */
  readonly simd?: Simd;
  /** The parts of workloads that it is for, if not for all. */
  readonly only?: readonly string[];
  /** The program that serves workloads, with its arguments. */
  readonly command: readonly string[];
  /** The program that prints a first loss. */
  readonly firstLoss: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** Vectors of 128 bits; those with fused multiply-add; those that V8 pairs to vectors of 256 bits as well. */
type Simd = "plain" | "relaxed" | "wide";

/** Debian's Python: the one that `apt-get install python3-torch` serves. Another one may be named. */
const python = process.env.GRADLOOM_BENCH_PYTHON ?? "/usr/bin/python3";

/** The Node that has vectors of 256 bits: this one, unless another one is named. */
const wideNode = process.env.GRADLOOM_BENCH_WIDE_NODE ?? process.execPath;

/** What makes PyTorch fastest on a few cores: threads that sleep, and memory that malloc keeps. */
const torchEnv = {
  OMP_WAIT_POLICY: "passive",
  MALLOC_MMAP_MAX_: "0",
  MALLOC_TRIM_THRESHOLD_: "100000000000",
  MALLOC_TOP_PAD_: "100000000",
};

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Gradloom on each number of threads, in each setting that the host lets one choose. */
export function gradloom(threads: readonly number[]): Contestant[] {
  const setting = (simd: Simd, label: string, node: string, flags: string[], options: string[]) =>
    threads.map((count) => ({
      name: `Gradloom${label}`,
      engine: "gradloom" as const,
      threads: count,
      simd,
      command: [node, ...flags, file("gradloom.js"), "--threads", String(count), ...options],
      firstLoss: [node, ...flags, file("first-loss.js"), ...options],
      env: {},
    }));
  const node = process.execPath;
  const always = hasRelaxedSimd();
  const flags = always ? [] : [relaxedFlag];
  return [
    ...(always ? [] : setting("plain", "", node, [], [])),
    ...(hasRelaxedSimd(...flags) ? setting("relaxed", ", relaxed SIMD", node, flags, []) : []),
    ...(hasWideSimd() ? setting("wide", ", 256-bit SIMD", wideNode, [], ["--wide-simd"]) : []),
  ];
}

const relaxedFlag = "--experimental-wasm-relaxed-simd";

/** A module with one `f32x4.relaxed_madd`, valid where the host has it. */
const relaxedModule =
  "AGFzbQEAAAABBQFgAAF7AwIBAAo9ATsA/QwAAAAAAAAAAAAAAAAAAAAA/QwAAAAAAAAAAAAAAAAAAAAA/QwAAAAAAAAAAAAAAAAAAAAA/YUCCw==";

function hasRelaxedSimd(...flags: readonly string[]): boolean {
  const script = `process.exit(WebAssembly.validate(Buffer.from("${relaxedModule}", "base64")) ? 0 : 1)`;
  return spawnSync(process.execPath, [...flags, "-e", script]).status === 0;
}

/** V8 pairs fused multiply-adds from version 13 on, which Node 24 has. */
function hasWideSimd(): boolean {
  const script =
    "process.exit(process.arch === 'x64' && parseInt(process.versions.v8) >= 13 ? 0 : 1)";
  return spawnSync(wideNode, ["-e", script]).status === 0;
}

/**
 * The engines in JavaScript that are installed in `bench/peers`. They run on one thread in Node. TensorFlow.js
 * lacks gradients on WebAssembly that its backend in plain JavaScript has: that one is there for what needs them.
 */
export function javaScriptPeers(): Contestant[] {
  const peer = (engine: "jax-js" | "tfjs", name: string, ...options: string[]) => {
    const command = [process.execPath, file(`../peers/${engine}.mjs`), ...options];
    return { name, engine, threads: 1, command, firstLoss: [...command, "--first-loss"], env: {} };
  };
  return [
    peer("jax-js", "jax-js"),
    peer("tfjs", "TensorFlow.js (wasm)"),
    // Its gradients of large convolutions and of embeddings take minutes.
    { ...peer("tfjs", "TensorFlow.js (plain)", "--plain"), only: ["convnet"] },
  ];
}

/** Says whether PyTorch, as Debian has it, was given the BLAS that is there to be replaced by a fast one. */
const torchProbe = `
import torch
try: print("slow" if "/blas/libblas" in open("/proc/self/maps").read() else "fine")
except OSError: print("fine")`;

/** PyTorch on each number of threads, or nothing where Python has none, or one whose ratios would flatter. */
export function torch(threads: readonly number[]): Contestant[] {
  const { status, stdout } = spawnSync(python, ["-c", torchProbe], { encoding: "utf8" });
  if (status !== 0) return [];
  if (stdout.trim() === "slow") {
    process.stderr.write(
      "PyTorch is left out: its products run on the reference BLAS, 20 times slower than on OpenBLAS. Install libopenblas0-pthread.\n",
    );
    return [];
  }
  return threads.map((count) => {
    const command = [python, file("../torch/contestant.py"), "--threads", String(count)];
    return {
      name: "PyTorch",
      engine: "torch" as const,
      threads: count,
      command,
      firstLoss: [...command, "--first-loss"],
      env: torchEnv,
    };
  });
}

/** A contestant's process, which waits for requests and answers one at a time. */
export class Session {
  private readonly child: ChildProcess;
  private readonly replies: AsyncIterator<string>;
  private errors = "";

  constructor({ command: [program, ...args], env }: Contestant) {
    this.child = spawn(program, args, {
      stdio: ["pipe", "pipe", "pipe"],
      env: { ...process.env, ...env },
    });
    this.child.on("error", (error) => {
      this.errors += error.message;
    });
    this.child.stderr!.on("data", (chunk) => {
      this.errors = `${this.errors}${chunk}`.slice(-2000);
    });
    this.child.stdin!.on("error", () => {}); // the child has ended: ask() says so
    this.replies = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  /** Times a workload for one round. A child that has died answers with an error. */
  async ask(request: Request): Promise<Reply> {
    this.child.stdin!.write(`${JSON.stringify(request)}\n`);
    while (true) {
      const { value, done } = await this.replies.next();
      if (done === true) return { error: `the process ended. ${this.errors.trim()}`.trim() };
      // Engines print greetings and warnings of their own.
      if (value.startsWith("reply ")) return JSON.parse(value.slice("reply ".length)) as Reply;
    }
  }

  end(): void {
    this.child.stdin!.end();
    this.child.kill();
  }
}
