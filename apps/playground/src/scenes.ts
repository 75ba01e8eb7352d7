// Pictures to label pixel by pixel: shapes that overlap, on ground of the same colours and textures, with noise.
import { fromTypedArray, Generator, rand, randn, type Tensor } from "@gradloom/tensor";

/** What a pixel may belong to; its place in the list is its label. */
export const kinds = ["ground", "disc", "ring", "square", "triangle"] as const;

/** Height and width of a picture. */
export const sceneSide = 64;
const pixels = sceneSide * sceneSide;

/** Pictures, and what each of their pixels belongs to. */
export interface Scenes {
  /** `[count · 3 · side · side]`: red, green and blue, about from 0 to 1. */
  readonly pictures: Float32Array;
  /** `[count · side · side]`. */
  readonly labels: Int32Array;
}

type Colour = readonly number[];

interface Shape {
  readonly label: number;
  /** Whether a point is inside. */
  readonly covers: (x: number, y: number) => boolean;
}

/**
 * Draws pictures without end, each other than all before. A shape may have any colour, and the ground the same one: what a shape is
 * shows in its outline alone.
 */
export class SceneArtist {
  readonly #generator: Generator;
  readonly #noise: number;
  #drawn: ArrayLike<number> = [];
  #next = 0;

  /**
   * @param seed - Fixes all pictures.
   * @param noise - The standard deviation of the noise of each pixel.
   */
  constructor(seed: number, noise: number) {
    this.#generator = new Generator(seed);
    this.#noise = noise;
  }

  /** The next pictures. */
  draw(count: number): Scenes {
    const noise = randn([count * 3 * pixels], { generator: this.#generator }).dataSync();
    const pictures = Float32Array.from(noise, (value) => this.#noise * Number(value));
    const labels = new Int32Array(count * pixels);
    for (let i = 0; i < count; i++) {
      this.#scene(
        pictures.subarray(i * 3 * pixels, (i + 1) * 3 * pixels),
        labels.subarray(i * pixels, (i + 1) * pixels),
      );
    }
    return { pictures, labels };
  }

  /** Adds a picture to the noise, and writes down its labels. */
  #scene(picture: Float32Array, labels: Int32Array): void {
    const owners = this.#place(this.#between(4, 7));
    const colours: Colour[] = [];
    for (let i = 0; i <= owners.shapes.length; i++) colours.push(this.#colour(colours));
    const textures = colours.map((colour) => this.#texture(colour));
    for (let i = 0; i < pixels; i++) {
      const owner = owners.at[i];
      labels[i] = owner === 0 ? 0 : owners.shapes[owner - 1].label;
      const colour = textures[owner](i % sceneSide, Math.floor(i / sceneSide));
      for (let channel = 0; channel < 3; channel++) {
        picture[channel * pixels + i] += colour[channel];
      }
    }
  }

  /** Up to `count` shapes, later ones over earlier ones, and for each pixel the number of its shape, 0 for the ground. */
  #place(count: number): { shapes: readonly Shape[]; at: Uint8Array } {
    const shapes: Shape[] = [];
    const areas = [pixels];
    let at: Uint8Array = new Uint8Array(pixels);
    for (let attempt = 0; attempt < 40 && shapes.length < Math.floor(count); attempt++) {
      const shape = this.#shape();
      const over = Uint8Array.from(at, (owner, i) =>
        shape.covers(i % sceneSide, Math.floor(i / sceneSide)) ? shapes.length + 1 : owner,
      );
      const left = countsOf(over, shapes.length + 2);
      // A shape of which little is left could be anything.
      if (areas.some((area, owner) => owner > 0 && left[owner] < 0.65 * area)) continue;
      shapes.push(shape);
      areas.push(left[shapes.length]);
      at = over;
    }
    return { shapes, at };
  }

  #shape(): Shape {
    const label = Math.floor(this.#between(1, kinds.length));
    const radius = this.#between(8, 15);
    const angle = this.#between(0, 2 * Math.PI);
    const [centreX, centreY] = [1, 2].map(() => this.#between(radius, sceneSide - radius));
    const [sin, cos] = [Math.sin(angle) / radius, Math.cos(angle) / radius];
    const covers = (x: number, y: number) => {
      const [dx, dy] = [x - centreX, y - centreY];
      return isInside(label, cos * dx + sin * dy, cos * dy - sin * dx);
    };
    return { label, covers };
  }

  /** A colour that is not too close to the others of its picture. */
  #colour(others: readonly Colour[]): Colour {
    for (let distance = 0.5; ; distance *= 0.95) {
      const colour = [1, 2, 3].map(() => this.#between(0, 1));
      if (others.every((other) => Math.hypot(...other.map((v, i) => v - colour[i])) > distance)) {
        return colour;
      }
    }
  }

  /** Waves of two shades of a colour. */
  #texture(colour: Colour): (x: number, y: number) => Colour {
    const change = colour.map(() => this.#between(-0.2, 0.2));
    const angle = this.#between(0, 2 * Math.PI);
    const frequency = (2 * Math.PI) / this.#between(4, 16);
    const [kx, ky] = [Math.cos(angle) * frequency, Math.sin(angle) * frequency];
    return (x, y) => {
      const wave = Math.sin(kx * x + ky * y);
      return colour.map((value, i) => value + change[i] * wave);
    };
  }

  #between(low: number, high: number): number {
    if (this.#next === this.#drawn.length) {
      this.#drawn = rand([4096], { generator: this.#generator }).dataSync() as Float32Array;
      this.#next = 0;
    }
    return low + (high - low) * this.#drawn[this.#next++];
  }
}

/** Whether a point belongs to a shape of radius 1 around the origin. */
function isInside(label: number, u: number, v: number): boolean {
  const radius = Math.hypot(u, v);
  switch (kinds[label]) {
    case "disc":
      return radius <= 0.9;
    case "ring":
      return radius <= 1 && radius >= 0.5;
    case "square":
      return Math.max(Math.abs(u), Math.abs(v)) <= 0.75;
    case "triangle":
      return v >= -0.5 && Math.sqrt(3) * Math.abs(u) + v <= 1;
    default:
      return false;
  }
}

function countsOf(owners: Uint8Array, length: number): number[] {
  const counts = new Array<number>(length).fill(0);
  for (const owner of owners) counts[owner] += 1;
  return counts;
}

/** How many pictures there are. */
export function countOfScenes({ labels }: Scenes): number {
  return labels.length / pixels;
}

/** The pictures from `start` up to, not including, `end`. */
export function chooseScenes({ pictures, labels }: Scenes, start: number, end: number): Scenes {
  return {
    pictures: pictures.subarray(start * 3 * pixels, end * 3 * pixels),
    labels: labels.subarray(start * pixels, end * pixels),
  };
}

/** As tensors: pictures `[count, 3, side, side]`, labels `[count, side, side]`. */
export function tensorsOf(scenes: Scenes): { x: Tensor; y: Tensor } {
  const count = countOfScenes(scenes);
  return {
    x: fromTypedArray(scenes.pictures, [count, 3, sceneSide, sceneSide]),
    y: fromTypedArray(scenes.labels, [count, sceneSide, sceneSide]),
  };
}
