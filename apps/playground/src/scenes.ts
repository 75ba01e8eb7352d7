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
  /** Its pixels. */
  readonly covered: readonly number[];
}

/** `colour + change · sin(wave · place)`. */
interface Texture {
  readonly colour: Colour;
  readonly change: Colour;
  /** Radians for a pixel to the right and one down. */
  readonly wave: readonly [number, number];
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
    const noise = randn([count * 3 * pixels], { generator: this.#generator }).mul(this.#noise);
    const pictures = Float32Array.from(noise.dataSync());
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
    const { shapes, owners } = this.#place(Math.floor(this.#between(3, 6)));
    const colours: Colour[] = [];
    for (let i = 0; i <= shapes.length; i++) colours.push(this.#colour(colours));
    const textures = colours.map((colour) => this.#texture(colour));
    for (let i = 0; i < pixels; i++) {
      const owner = owners[i];
      labels[i] = owner === 0 ? 0 : shapes[owner - 1].label;
      const { colour, change, wave } = textures[owner];
      const shade = Math.sin(wave[0] * (i % sceneSide) + wave[1] * Math.floor(i / sceneSide));
      for (let channel = 0; channel < 3; channel++) {
        picture[channel * pixels + i] += colour[channel] + shade * change[channel];
      }
    }
  }

  /** Up to `count` shapes, later ones over earlier ones, and for each pixel the number of its shape, 0 for the ground. */
  #place(count: number): { shapes: readonly Shape[]; owners: Uint8Array } {
    const shapes: Shape[] = [];
    const owners = new Uint8Array(pixels);
    const visible = [pixels];
    for (let attempt = 0; attempt < 40 && shapes.length < count; attempt++) {
      const shape = this.#shape();
      const left = [...visible];
      for (const pixel of shape.covered) left[owners[pixel]] -= 1;
      // A shape of which little is left could be anything.
      if (shapes.some(({ covered }, i) => left[i + 1] < 0.75 * covered.length)) continue;
      shapes.push(shape);
      for (const pixel of shape.covered) owners[pixel] = shapes.length;
      visible.splice(0, visible.length, ...left, shape.covered.length);
    }
    return { shapes, owners };
  }

  #shape(): Shape {
    const label = Math.floor(this.#between(1, kinds.length));
    const radius = this.#between(10, 16);
    const angle = this.#between(0, 2 * Math.PI);
    const [centreX, centreY] = [1, 2].map(() => this.#between(radius, sceneSide - radius));
    const [sin, cos] = [Math.sin(angle) / radius, Math.cos(angle) / radius];
    const covered: number[] = [];
    for (let y = Math.ceil(centreY - radius); y <= centreY + radius; y++) {
      for (let x = Math.ceil(centreX - radius); x <= centreX + radius; x++) {
        const u = cos * (x - centreX) + sin * (y - centreY);
        const v = cos * (y - centreY) - sin * (x - centreX);
        if (isInside(label, u, v)) covered.push(y * sceneSide + x);
      }
    }
    return { label, covered };
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
  #texture(colour: Colour): Texture {
    const change = colour.map(() => this.#between(-0.2, 0.2));
    const angle = this.#between(0, 2 * Math.PI);
    const frequency = (2 * Math.PI) / this.#between(4, 16);
    return { colour, change, wave: [Math.cos(angle) * frequency, Math.sin(angle) * frequency] };
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
