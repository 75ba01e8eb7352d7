// Sounds of ten kinds, made by the seed: each with its own pitch, loudness, beginning and noise.
import { Random } from "@gradloom/data";

/** Samples a second, and those of a sound: one second. */
export const sampleRate = 8000;
export const samples = 8000;

/** What the sounds are. */
export const kinds = [
  "vowel ah",
  "vowel ee",
  "vowel oo",
  "chirp up",
  "chirp down",
  "siren",
  "string",
  "bell",
  "drum",
  "hiss",
] as const;

/** Recordings, and which kind each is. */
export interface Sounds {
  /** `[count · samples]`. */
  readonly waveforms: Float32Array;
  /** `[count]`, positions in {@link kinds}. */
  readonly labels: Int32Array;
}

/** The same number of sounds of each kind, in turn. */
export function makeSounds(perKind: number, seed: number): Sounds {
  const count = perKind * kinds.length;
  const waveforms = new Float32Array(count * samples);
  const labels = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    labels[i] = i % kinds.length;
    record(labels[i], new Random(seed, i), waveforms.subarray(i * samples, (i + 1) * samples));
  }
  return { waveforms, labels };
}

/** A sound somewhere in the second, in noise, at any loudness. */
function record(kind: number, random: Random, out: Float32Array): void {
  const length = Math.round(samples * random.uniform(0.45, 0.8));
  const start = Math.round(random.uniform(0, samples - length));
  const sound = makers[kinds[kind]](random, length);
  // Nothing is given away by how a sound begins and ends.
  const fade = Math.round(0.02 * sampleRate);
  for (let i = 0; i < fade; i++) {
    sound[i] *= i / fade;
    sound[length - 1 - i] *= i / fade;
  }
  const energy = Math.sqrt(sound.reduce((sum, x) => sum + x * x, 0) / length);
  const loudness = 10 ** (random.uniform(-40, -10) / 20);
  const noise = loudness * 10 ** (random.uniform(-10, 8) / 20);
  const colour = random.uniform(-0.9, 0.9);
  let last = 0;
  for (let i = 0; i < samples; i++) {
    // Noise of one pole, from rumble to hiss.
    last = colour * last + Math.sqrt(1 - colour * colour) * random.normal();
    const inside = i >= start && i < start + length;
    out[i] = noise * last + (inside ? (loudness * sound[i - start]) / energy : 0);
  }
}

type Maker = (random: Random, length: number) => Float32Array;

const makers: Readonly<Record<(typeof kinds)[number], Maker>> = {
  "vowel ah": vowel([730, 1090, 2440]),
  "vowel ee": vowel([270, 2290, 3010]),
  "vowel oo": vowel([300, 870, 2240]),
  "chirp up": chirp(1),
  "chirp down": chirp(-1),
  siren,
  string,
  bell,
  drum,
  hiss,
};

/** A voice: pulses at its pitch through resonances, which say what vowel it is (Peterson & Barney 1952). */
function vowel(formants: readonly number[]): Maker {
  return (random, length) => {
    const pitch = random.uniform(90, 260);
    const glide = random.uniform(-0.25, 0.25);
    // No two mouths are of the same size.
    const size = random.uniform(0.88, 1.12);
    let sound: Float32Array<ArrayBufferLike> = new Float32Array(length);
    let phase = random.uniform();
    for (let i = 0; i < length; i++) {
      phase += (pitch * (1 + (glide * i) / length)) / sampleRate;
      if (phase >= 1) sound[i] = 1;
      phase %= 1;
    }
    for (const formant of formants) {
      sound = resonant(sound, size * formant * random.uniform(0.95, 1.05), 60 + 0.05 * formant);
    }
    return sound.slice();
  };
}

/** A resonator of two poles. */
function resonant(x: Float32Array, hertz: number, width: number): Float32Array {
  const radius = Math.exp((-Math.PI * width) / sampleRate);
  const a = 2 * radius * Math.cos((2 * Math.PI * hertz) / sampleRate);
  const b = -radius * radius;
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = x[i] + a * (y[i - 1] ?? 0) + b * (y[i - 2] ?? 0);
  return y;
}

/** A tone that rises or falls, by the same range. */
function chirp(direction: 1 | -1): Maker {
  return (random, length) => {
    const low = random.uniform(200, 1200);
    const high = low * random.uniform(1.4, 2.6);
    const [from, to] = direction > 0 ? [low, high] : [high, low];
    return tone(length, (t) => from * (to / from) ** t, random.uniform());
  };
}

/** A tone that goes up and down several times. */
function siren(random: Random, length: number): Float32Array {
  const middle = random.uniform(350, 1600);
  const depth = random.uniform(0.12, 0.4);
  const times = random.uniform(2, 5);
  const begin = random.uniform();
  const pitch = (t: number) => middle * (1 + depth * Math.sin(2 * Math.PI * (times * t + begin)));
  return tone(length, pitch, random.uniform());
}

/** A sine with overtones, its pitch a function of the part of the time that has passed. */
function tone(length: number, hertz: (t: number) => number, overtone: number): Float32Array {
  let phase = 0;
  return Float32Array.from({ length }, (_, i) => {
    phase += (2 * Math.PI * hertz(i / length)) / sampleRate;
    return Math.sin(phase) + 0.5 * overtone * Math.sin(2 * phase);
  });
}

/** A plucked string: noise that goes around and is smoothed each time (Karplus & Strong 1983). */
function string(random: Random, length: number): Float32Array {
  const period = Math.round(sampleRate / random.uniform(90, 420));
  const kept = random.uniform(0.985, 0.998);
  const y = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    y[i] =
      i < period ? random.uniform(-1, 1) : (kept * (y[i - period] + (y[i - period - 1] ?? 0))) / 2;
  }
  return y;
}

/** Partials that are no multiples of one, each fading at its own rate. */
function bell(random: Random, length: number): Float32Array {
  const base = random.uniform(180, 700);
  const y = new Float32Array(length);
  for (const ratio of [0.56, 0.92, 1.19, 1.71, 2.74, 3.76]) {
    const hertz = base * ratio * random.uniform(0.98, 1.02);
    const decay = random.uniform(2, 4) * Math.sqrt(ratio);
    const amplitude = random.uniform(0.4, 1);
    for (let i = 0; i < length; i++) {
      const t = i / sampleRate;
      y[i] += amplitude * Math.exp(-decay * t) * Math.sin(2 * Math.PI * hertz * t);
    }
  }
  return y;
}

/** Beats whose pitch falls, with a rattle. */
function drum(random: Random, length: number): Float32Array {
  const beats = 1 + random.integer(3);
  const rattle = random.uniform(0.05, 0.5);
  const deep = random.uniform(60, 160);
  const y = new Float32Array(length);
  for (let beat = 0; beat < beats; beat++) {
    const start = Math.round((beat * length) / beats);
    let phase = 0;
    for (let i = start; i < length; i++) {
      const t = (i - start) / sampleRate;
      phase += (2 * Math.PI * deep * (1 + 2 * Math.exp(-30 * t))) / sampleRate;
      y[i] += Math.exp(-12 * t) * Math.sin(phase) + rattle * Math.exp(-25 * t) * random.normal();
    }
  }
  return y;
}

/** A band of noise, as of a consonant or of wind. */
function hiss(random: Random, length: number): Float32Array {
  const noise = Float32Array.from({ length }, () => random.normal());
  const swell = random.uniform(1, 4);
  const y = resonant(noise, random.uniform(500, 3200), random.uniform(150, 600));
  return y.map((value, i) => value * (0.4 + Math.abs(Math.sin((swell * Math.PI * i) / length))));
}
