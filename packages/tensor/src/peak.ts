import { type Backend, type Engine, element, matmul, type Node } from "@gradloom/engine";

/** What a machine can do at best, as measured with its own kernels. */
export interface Peak {
  /** Floating-point operations a second, in a matrix product. */
  readonly flops: number;
  /** Bytes a second, in a pass over more memory than the caches hold. */
  readonly bytes: number;
}

const measured = new WeakMap<Backend, { threads: number; peak: Peak }>();

/** The peak of an engine's backend with its present number of threads; measured once, in about 0.1 s. */
export function peakOf(engine: Engine): Peak {
  const { backend } = engine;
  const known = measured.get(backend);
  if (known?.threads === backend.numThreads) return known.peak;
  // The reference backend is slow enough to be measured on little.
  const isReference = backend.name === "js";
  const size = isReference ? 32 : 256;
  const length = isReference ? 1 << 12 : 1 << 22;
  const square = engine.input(new Float32Array(size * size).fill(1), [size, size], "float32");
  const vector = engine.input(new Float32Array(length), [length], "float32");
  const best = (unit: "flops" | "bytes", make: () => Node) => {
    let most = 0;
    for (let i = 0; i < 12; i++) {
      const { reports } = engine.profile(() => {
        const node = make();
        engine.realize([node]);
        engine.release(node);
      });
      for (const { kernels } of reports) {
        most = Math.max(most, kernels[0][unit] / ((kernels[0].milliseconds ?? 1) / 1e3));
      }
    }
    return most;
  };
  const peak = {
    flops: best("flops", () => matmul(square, square)),
    bytes: best("bytes", () => element("neg", [vector], "float32")),
  };
  engine.release(square);
  engine.release(vector);
  measured.set(backend, { threads: backend.numThreads, peak });
  return peak;
}
