// What is not a time of a workload: memory over many steps, time to the first loss, sizes of packages.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Contestant } from "./contestant.ts";
import { median, spread } from "./statistics.ts";
import { milliseconds, table } from "./table.ts";
import { label, type Verdict } from "./targets.ts";

/** A section of the report. */
export interface Section {
  readonly title: string;
  readonly text: string;
  readonly verdicts: readonly Verdict[];
  /** The numbers behind it, for `--json`. */
  readonly data: unknown;
}

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);

interface MemoryRow {
  readonly step: number;
  readonly rss: number;
  readonly heapUsed: number;
  readonly arrayBuffers: number;
  readonly memoryBytes: number;
  readonly residentBytes: number;
  readonly plans: number;
  readonly compiledKernels: number;
}

function memoryRows(...options: string[]): MemoryRow[] {
  // Otherwise V8 lets the space for young objects grow, which says nothing about the loop.
  const flags = ["--expose-gc", "--max-semi-space-size=2"];
  const output = execFileSync(process.execPath, [...flags, file("memory.js"), ...options], {
    encoding: "utf8",
  });
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as MemoryRow);
}

/** 10,000 training steps in one synchronous loop; garbage is collected before each look. */
export function memory(): Section {
  const rows = memoryRows();
  const warm = rows[1];
  const last = rows[rows.length - 1];
  const bytes = (row: MemoryRow) => row.heapUsed + row.arrayBuffers;
  const heap = bytes(last) - bytes(warm);
  const engine = last.memoryBytes - rows[0].memoryBytes;
  // The process holds what V8 has not handed back; 110 bytes a step on the heap would be too much already.
  const rss = last.rss - warm.rss;
  const kept = memoryRows("--keep");
  const each = (bytes(kept[kept.length - 1]) - bytes(kept[1]) - heap) / (last.step - warm.step);
  const grown = (bytes: number) => `${bytes < 0 ? "" : "+"}${megabytes(bytes)} MB`;
  return {
    title: "memory over 10,000 synchronous training steps of MLP 1-64-64-1",
    text: `${table(
      ["step", "process MB", "JS heap MB", "engine MB", "resident MB", "plans", "kernels"],
      rows.map((row) => [
        String(row.step),
        megabytes(row.rss),
        megabytes(row.heapUsed),
        megabytes(row.memoryBytes),
        megabytes(row.residentBytes),
        String(row.plans),
        String(row.compiledKernels),
      ]),
    )}\n\nA loss that is kept costs ${each.toFixed(0)} bytes.`,
    verdicts: [
      {
        goal: "flat after the first 100 steps",
        measured: `JS heap ${grown(heap)}, engine ${grown(engine)}, process ${grown(rss)}, all from step ${warm.step} on`,
        met: heap < 1_000_000 && engine <= 0 && rss < 16_000_000,
      },
    ],
    data: { rows, bytesOfKeptLoss: each },
  };
}

/** From starting the process to the line with the first loss, the contestants in turns. */
export function startUp(contestants: readonly Contestant[], rounds: number): Section {
  const times = new Map<Contestant, number[]>(contestants.map((c) => [c, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [contestant, list] of times) {
      const [program, ...args] = contestant.firstLoss;
      const start = performance.now();
      execFileSync(program, args, { env: { ...process.env, ...contestant.env }, stdio: "pipe" });
      list.push(performance.now() - start);
    }
  }
  const verdicts = [...times].flatMap(([contestant, list]) => {
    if (contestant.engine !== "gradloom") return [];
    const seconds = median(list) / 1000;
    const measured = `${seconds.toFixed(2)} s (${contestant.name})`;
    return [{ goal: "≤ 0.5 s", measured, met: seconds <= 0.5 }];
  });
  return {
    title: "from starting the process to the first loss of MLP 1-64-64-1",
    text: table(
      ["engine", "median", "best", "spread"],
      [...times].map(([contestant, list]) => [
        contestant.name,
        milliseconds(median(list)),
        milliseconds(Math.min(...list)),
        `${(spread(list) * 100).toFixed(0)} %`,
      ]),
    ),
    verdicts,
    data: Object.fromEntries([...times].map(([contestant, list]) => [label(contestant), list])),
  };
}

/** Bytes after bundling, minification and gzip. */
async function bundledSize(imports: string, resolveDir: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: imports, resolveDir },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    external: ["node:*", "fs", "path", "worker_threads", "perf_hooks", "os", "util", "crypto"],
    write: false,
    logLevel: "silent",
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).byteLength;
}

/** What an application downloads. */
export async function sizes(withPeers: boolean): Promise<Section> {
  const rows: [string, number][] = [];
  const here = file("..");
  const ours = await bundledSize(`export * from "@gradloom/tensor";`, here);
  rows.push(["@gradloom/tensor with its engine and both backends", ours]);
  const all = ["tensor", "layers", "loss", "optim"].map(
    (name) => `import * as ${name} from "@gradloom/${name}"; console.log(${name});`,
  );
  rows.push(["the same with layers, loss and optim", await bundledSize(all.join("\n"), here)]);
  if (withPeers) {
    const peers = file("../peers");
    const jax = `import * as jax from "@jax-js/jax"; console.log(jax);`;
    rows.push(["@jax-js/jax", await bundledSize(jax, peers)]);
    const tfjs = `import * as tf from "@tensorflow/tfjs"; import "@tensorflow/tfjs-backend-wasm"; console.log(tf);`;
    const dist = `${peers}/node_modules/@tensorflow/tfjs-backend-wasm/dist`;
    const binary = readFileSync(`${dist}/tfjs-backend-wasm-simd.wasm`);
    const size = (await bundledSize(tfjs, peers)) + gzipSync(binary, { level: 9 }).byteLength;
    rows.push(["@tensorflow/tfjs with its wasm backend and binary", size]);
  }
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} KB`;
  return {
    title: "download size, minified and gzipped",
    text: table(
      ["package", "size"],
      rows.map(([name, size]) => [name, kilobytes(size)]),
    ),
    verdicts: [{ goal: "tensor ≤ 60 KB", measured: kilobytes(ours), met: ours <= 60_000 }],
    data: Object.fromEntries(rows),
  };
}
