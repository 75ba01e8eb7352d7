import {
  cat,
  checkOptions,
  conv1d,
  DTypeError,
  fromTypedArray,
  requireTensor,
  ShapeError,
  type Tensor,
} from "@gradloom/tensor";
import { refusal, requireInteger } from "./argument.ts";

/** Options of {@link spectrogram}. Units: samples, unless said otherwise. */
export interface SpectrogramOptions {
  /** Length of a window's Fourier transform. Default: 400. */
  readonly nFft?: number;
  /** Length of the Hann window, in the middle of `nFft`. Default: `nFft`. */
  readonly winLength?: number;
  /** How far windows are apart. Default: half of `winLength`. */
  readonly hopLength?: number;
  /** 2 gives energies, 1 magnitudes. Default: 2. */
  readonly power?: number;
  /** Whether the transform is divided by the length (norm) of the window. Default: false. */
  readonly normalized?: boolean;
  /** Whether window `t` has its middle at sample `t · hopLength`, for which the ends are padded. Default: true. */
  readonly center?: boolean;
  /** What the ends are padded with: their mirror image, or zeros. Default: `"reflect"`. */
  readonly padMode?: "reflect" | "constant";
}

/** Their names, for `checkOptions`. */
export const spectrogramOptions: Readonly<Record<keyof SpectrogramOptions, true>> = {
  nFft: true,
  winLength: true,
  hopLength: true,
  power: true,
  normalized: true,
  center: true,
  padMode: true,
};

/**
 * How much of each frequency is in a sound, over time: `|Σₙ window[n] · x[t · hop + n] · e^(-2πi·f·n / nFft)|^power`. Row `f` is
 * the frequency `f · sampleRate / nFft`. All windows and frequencies are one matrix product, which has a gradient.
 *
 * - Shape: `[..., time]` → `[..., nFft / 2 + 1, frames]`, with `frames = time / hopLength + 1` if centred
 * - As `torchaudio.transforms.Spectrogram`, with the same defaults
 * @throws ShapeError if the sound is too short. DTypeError if it is not floating. ArgumentError for an option out of range.
 *
 * @example
 * ```ts
 * const picture = spectrogram(waveform, { nFft: 512, hopLength: 128 }); // [257, frames]
 * ```
 */
export function spectrogram(waveform: Tensor, options: SpectrogramOptions = {}): Tensor {
  checkOptions("spectrogram", options, spectrogramOptions);
  return spectrogramOf("spectrogram", waveform, options);
}

/** {@link spectrogram}, for who has a name of its own. */
export function spectrogramOf(op: string, waveform: Tensor, options: SpectrogramOptions): Tensor {
  const { nFft = 400, winLength = nFft, power = 2, normalized = false } = options;
  const { center = true, padMode = "reflect" } = options;
  requireInteger(op, "nFft", nFft, 1);
  requireInteger(op, "winLength", winLength, 1);
  const { hopLength = Math.max(1, Math.floor(winLength / 2)) } = options;
  requireInteger(op, "hopLength", hopLength, 1);
  if (winLength > nFft) {
    throw refusal(op, `winLength must be at most nFft = ${nFft}, got ${winLength}`);
  }
  if (!(power > 0)) throw refusal(op, `power must be above 0, got ${power}`);
  requireTensor(op, waveform);
  const { dtype, shape } = waveform;
  if (dtype !== "float32" && dtype !== "float64") {
    throw new DTypeError(
      `${op}: the waveform must be floating, got ${dtype}. Divide it by its largest value.`,
      { op },
    );
  }
  const time = shape[shape.length - 1] ?? 0;
  const padding = center ? Math.floor(nFft / 2) : 0;
  const least = center && padMode === "reflect" ? padding + 1 : Math.max(1, nFft - 2 * padding);
  if (time < least) {
    throw new ShapeError(
      `${op}: the waveform must have at least ${least} samples, got [${shape.join(", ")}]. Take a smaller nFft, or padMode "constant".`,
      { op, shapes: [shape] },
    );
  }
  const sounds = waveform.reshape([-1, 1, time]);
  const padded =
    padMode === "reflect" ? reflected(sounds, padding) : sounds.pad([padding, padding]);
  // [sounds, 2 · frequencies, frames]: real parts, then imaginary parts
  const transform = conv1d(padded, fourier(nFft, winLength, normalized, dtype), {
    stride: hopLength,
  });
  const [count, rows, frames] = transform.shape;
  const energy = transform
    .reshape([count, 2, rows / 2, frames])
    .square()
    .sum(1);
  const leading = shape.slice(0, -1);
  return powerOf(energy, power).reshape([...leading, rows / 2, frames]);
}

/** `energy^(power / 2)`, whose gradient is finite where there is no energy. */
function powerOf(energy: Tensor, power: number): Tensor {
  if (power === 2) return energy;
  const some = energy.clamp({ min: 1e-30 });
  return power === 1 ? some.sqrt() : some.pow(power / 2);
}

/** Both ends continued by their mirror image, without the last sample twice. */
function reflected(x: Tensor, padding: number): Tensor {
  if (padding === 0) return x;
  const time = x.shape[2];
  const before = x.slice(2, 1, padding + 1).flip(2);
  const after = x.slice(2, time - padding - 1, time - 1).flip(2);
  return cat([before, x, after], 2);
}

const transforms = new Map<string, Tensor>();

/** Windowed cosines, then sines, as taps of a convolution: `[2 · (nFft / 2 + 1), 1, nFft]`. */
function fourier(
  nFft: number,
  winLength: number,
  normalized: boolean,
  dtype: "float32" | "float64",
): Tensor {
  const key = [nFft, winLength, normalized, dtype].join();
  const known = transforms.get(key);
  if (known !== undefined) return known;
  const window = hann(nFft, winLength);
  const norm = normalized ? Math.hypot(...window) : 1;
  const cosines = Float64Array.from(window, (_, n) => Math.cos((2 * Math.PI * n) / nFft));
  const sines = Float64Array.from(window, (_, n) => Math.sin((2 * Math.PI * n) / nFft));
  const rows = Math.floor(nFft / 2) + 1;
  const taps = new Float64Array(2 * rows * nFft);
  for (let f = 0; f < rows; f++) {
    for (let n = 0; n < nFft; n++) {
      const angle = (f * n) % nFft;
      taps[f * nFft + n] = (window[n] / norm) * cosines[angle];
      taps[(rows + f) * nFft + n] = -(window[n] / norm) * sines[angle];
    }
  }
  const transform = fromTypedArray(taps, [2 * rows, 1, nFft], { dtype });
  transforms.set(key, transform);
  return transform;
}

/** The Hann window of one period, with zeros around it. */
function hann(nFft: number, winLength: number): Float64Array {
  const window = new Float64Array(nFft);
  const start = Math.floor((nFft - winLength) / 2);
  if (winLength === 1) window[start] = 1; // as in PyTorch: the formula would give silence
  for (let n = 1; n < winLength; n++) {
    window[start + n] = 0.5 - 0.5 * Math.cos((2 * Math.PI * n) / winLength);
  }
  return window;
}
