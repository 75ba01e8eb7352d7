import { checkOptions, fromTypedArray, requireTensor, type Tensor } from "@gradloom/tensor";
import { refusal, requireInteger } from "./argument.ts";
import { type SpectrogramOptions, spectrogramOf, spectrogramOptions } from "./spectrogram.ts";

/** Options of {@link melFilterbank}. */
export interface MelOptions {
  /** Samples a second. Default: 16000. */
  readonly sampleRate?: number;
  /** Filters. Default: 128. */
  readonly nMels?: number;
  /** Where the lowest filter begins, in hertz. Default: 0. */
  readonly fMin?: number;
  /** Where the highest filter ends, in hertz. Default: half of `sampleRate`. */
  readonly fMax?: number;
  /** The formula of the scale: that of the book on speech, or that of Slaney's toolbox. Default: `"htk"`. */
  readonly melScale?: "htk" | "slaney";
  /** `"slaney"` gives all filters the same area. Default: `"none"`, the same height. */
  readonly norm?: "none" | "slaney" | null;
}

const melOptions: Readonly<Record<keyof MelOptions, true>> = {
  sampleRate: true,
  nMels: true,
  fMin: true,
  fMax: true,
  melScale: true,
  norm: true,
};

/** Options of {@link melSpectrogram}. */
export interface MelSpectrogramOptions extends MelOptions, SpectrogramOptions {}

/**
 * The picture of a sound that speech recognition looks at: its {@link spectrogram}, with frequencies gathered as the ear
 * hears them, close together where they are low. Follow it by {@link amplitudeToDb}, as loudness is heard in ratios.
 *
 * - Shape: `[..., time]` → `[..., nMels, frames]`
 * - As `torchaudio.transforms.MelSpectrogram`, with the same defaults
 * @throws ShapeError if the sound is too short. DTypeError if it is not floating. ArgumentError for an option out of range.
 *
 * @example
 * ```ts
 * const mel = melSpectrogram(waveform, { sampleRate: 16000, nFft: 512, hopLength: 160, nMels: 64 });
 * const picture = amplitudeToDb(mel, { topDb: 80 }); // [64, frames]
 * ```
 */
export function melSpectrogram(waveform: Tensor, options: MelSpectrogramOptions = {}): Tensor {
  const op = "melSpectrogram";
  checkOptions(op, options, { ...melOptions, ...spectrogramOptions });
  const power = spectrogramOf(op, waveform, options); // [..., frequencies, frames]
  const frequencies = power.shape[power.ndim - 2];
  const filters = filterbank(op, frequencies, options);
  const { nMels = 128 } = options;
  return fromTypedArray(filters, [nMels, frequencies], { dtype: power.dtype }).matmul(power);
}

/**
 * The triangular filters of {@link melSpectrogram}: row `m` says how much of each frequency it takes.
 *
 * - Shape: `[nMels, nFft / 2 + 1]`
 * - Scale: `mel = 2595 · log₁₀(1 + hertz / 700)`; Slaney's is linear up to 1000 Hz and logarithmic above
 * @throws ArgumentError for an option out of range.
 */
export function melFilterbank(nFft: number, options: MelOptions = {}): Tensor {
  const op = "melFilterbank";
  checkOptions(op, options, melOptions);
  requireInteger(op, "nFft", nFft, 1);
  const frequencies = Math.floor(nFft / 2) + 1;
  const filters = filterbank(op, frequencies, options);
  return fromTypedArray(filters, [filters.length / frequencies, frequencies], { dtype: "float32" });
}

function filterbank(op: string, frequencies: number, options: MelOptions): Float64Array {
  const { sampleRate = 16000, nMels = 128, melScale = "htk", norm = "none" } = options;
  const { fMin = 0, fMax = sampleRate / 2 } = options;
  requireInteger(op, "nMels", nMels, 1);
  if (!(sampleRate > 0)) throw refusal(op, `sampleRate must be above 0, got ${sampleRate}`);
  if (!(fMin >= 0 && fMin < fMax && fMax <= sampleRate / 2)) {
    throw refusal(
      op,
      `0 ≤ fMin < fMax ≤ sampleRate / 2 = ${sampleRate / 2} must hold, got ${fMin} and ${fMax}`,
    );
  }
  if (!Object.hasOwn(scales, melScale)) {
    throw refusal(op, `melScale must be "htk" or "slaney", got ${melScale}`);
  }
  const { toMel, toHertz } = scales[melScale];
  const low = toMel(fMin);
  const step = (toMel(fMax) - low) / (nMels + 1);
  // Where filters begin, have their middle, and end: each begins in the middle of the one before.
  const edges = Float64Array.from({ length: nMels + 2 }, (_, i) => toHertz(low + i * step));
  const filters = new Float64Array(nMels * frequencies);
  for (let m = 0; m < nMels; m++) {
    const [begin, middle, end] = edges.subarray(m, m + 3);
    const height = norm === "slaney" ? 2 / (end - begin) : 1;
    for (let f = 0; f < frequencies; f++) {
      const hertz = (f * Math.floor(sampleRate / 2)) / Math.max(1, frequencies - 1);
      const rising = (hertz - begin) / (middle - begin);
      const falling = (end - hertz) / (end - middle);
      filters[m * frequencies + f] = height * Math.max(0, Math.min(rising, falling));
    }
  }
  return filters;
}

interface Scale {
  toMel(hertz: number): number;
  toHertz(mel: number): number;
}

const linearHertz = 200 / 3;
const firstLogMel = 1000 / linearHertz;
const logStep = Math.log(6.4) / 27;

const scales: Readonly<Record<NonNullable<MelOptions["melScale"]>, Scale>> = {
  htk: {
    toMel: (hertz) => 2595 * Math.log10(1 + hertz / 700),
    toHertz: (mel) => 700 * (10 ** (mel / 2595) - 1),
  },
  slaney: {
    toMel: (hertz) =>
      hertz < 1000 ? hertz / linearHertz : firstLogMel + Math.log(hertz / 1000) / logStep,
    toHertz: (mel) =>
      mel < firstLogMel ? linearHertz * mel : 1000 * Math.exp(logStep * (mel - firstLogMel)),
  },
};

/** Options of {@link amplitudeToDb}. */
export interface AmplitudeToDbOptions {
  /** Whether values are energies (of `power: 2`) or magnitudes. Default: `"power"`. */
  readonly stype?: "power" | "magnitude";
  /** How far below the loudest value of each picture everything is cut off, in decibels. Default: nothing is. */
  readonly topDb?: number;
}

/**
 * Loudness in decibels: `10 · log₁₀(max(x, 1e-10))`, or `20 · log₁₀` of magnitudes.
 *
 * - Shape: the same; with `topDb` each picture `[frequencies, frames]` has a loudest value of its own
 * - As `torchaudio.transforms.AmplitudeToDB`, which takes the loudest of all channels together
 * @throws ArgumentError if `topDb` is negative.
 */
export function amplitudeToDb(x: Tensor, options: AmplitudeToDbOptions = {}): Tensor {
  requireTensor("amplitudeToDb", x);
  checkOptions("amplitudeToDb", options, { stype: true, topDb: true });
  const { stype = "power", topDb } = options;
  if (stype !== "power" && stype !== "magnitude") {
    throw refusal("amplitudeToDb", `stype must be "power" or "magnitude", got ${stype}`);
  }
  if (topDb !== undefined && !(topDb >= 0)) {
    throw refusal("amplitudeToDb", `topDb must be at least 0, got ${topDb}`);
  }
  const factor = (stype === "power" ? 10 : 20) / Math.LN10;
  const loudness = x.clamp({ min: 1e-10 }).log().mul(factor);
  if (topDb === undefined) return loudness;
  const picture = loudness.ndim >= 2 ? [-2, -1] : undefined;
  const loudest = loudness.amax(picture, { keepdim: true });
  return loudness.maximum(loudest.sub(topDb));
}
