// What a waveform says about a sound without looking at frequencies over time.
import { type Sounds, samples } from "./sounds.ts";

/** One feature each. */
export const statisticNames = [
  "loudness",
  "zero crossings",
  "peak",
  "kurtosis",
  "steepness",
  "how long",
  "correlation of neighbours",
] as const;

/** `[count · statistics]`, row by row. */
export function statistics({ waveforms, labels }: Sounds): Float32Array {
  const rows = Array.from(labels, (_, i) =>
    row(waveforms.subarray(i * samples, (i + 1) * samples)),
  );
  return Float32Array.from(rows.flat());
}

function row(x: Float32Array): number[] {
  const mean = (f: (i: number) => number) => {
    let sum = 0;
    for (let i = 1; i < x.length; i++) sum += f(i);
    return sum / (x.length - 1);
  };
  const energy = mean((i) => x[i] ** 2);
  const size = Math.sqrt(energy);
  return [
    Math.log(size),
    mean((i) => Number(x[i] < 0 !== x[i - 1] < 0)),
    Math.log(x.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / size),
    Math.log(mean((i) => x[i] ** 4) / energy ** 2),
    Math.log(mean((i) => (x[i] - x[i - 1]) ** 2) / energy),
    mean((i) => Number(Math.abs(x[i]) > size)),
    mean((i) => x[i] * x[i - 1]) / energy,
  ];
}
