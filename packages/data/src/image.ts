import { checkOptions } from "@gradloom/tensor";
import { requireBytes } from "./argument.ts";
import { type NdArray, scalar } from "./collate.ts";
import { Dataset } from "./dataset.ts";
import { type Context, listFolder, malformed, readBytes } from "./files.ts";

/** A picture: `[channels, height, width]`, bytes. */
export type Picture = NdArray<Uint8Array>;

/**
 * Reads a picture, PNG or JPEG. The libraries that decode them are not installed along with this package: PNG needs
 * `fast-png`, JPEG needs `jpeg-js`.
 *
 * - Shape: `[channels, height, width]`: 1 channel for grey, 3 for colours, one more for transparency, as the file has it
 * @throws DataError if the file cannot be read, is damaged, or its library is not installed.
 *
 * @example
 * ```ts
 * const picture = await loadImage("cat.png"); // { data: Uint8Array, shape: [3, 480, 640] }
 * ```
 */
export async function loadImage(path: string): Promise<Picture> {
  return readImage({ op: "loadImage", path }, await readBytes("loadImage", path));
}

/** {@link loadImage} for bytes in memory. */
export async function decodeImage(bytes: Uint8Array): Promise<Picture> {
  requireBytes("decodeImage", bytes);
  return readImage({ op: "decodeImage" }, bytes);
}

interface PngLibrary {
  decode(bytes: Uint8Array): {
    width: number;
    height: number;
    depth: number;
    channels: number;
    data: ArrayLike<number>;
    palette?: readonly (readonly number[])[];
  };
}

interface JpegLibrary {
  decode(
    bytes: Uint8Array,
    options: { useTArray: true; formatAsRGBA: false },
  ): {
    width: number;
    height: number;
    data: Uint8Array;
  };
}

async function readImage(context: Context, bytes: Uint8Array): Promise<Picture> {
  const start = Array.from(bytes.subarray(0, 3)).join();
  const isPng = start === "137,80,78";
  if (!isPng && start !== "255,216,255") {
    throw malformed(context, "the file must be PNG or JPEG, got something else");
  }
  if (isPng) checkPngSize(context, bytes);
  const library = await load<PngLibrary | JpegLibrary>(context, isPng ? "fast-png" : "jpeg-js");
  try {
    return isPng
      ? fromPng((library as PngLibrary).decode(bytes))
      : fromJpeg((library as JpegLibrary).decode(bytes, { useTArray: true, formatAsRGBA: false }));
  } catch (error) {
    throw malformed(context, `the picture must be whole, got "${(error as Error).message}"`);
  }
}

/** Channels by PNG's colour type. */
const pngChannels: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

/** @throws DataError if the picture is larger than its bytes can be: the decoder takes memory for what the file says. */
function checkPngSize(context: Context, bytes: Uint8Array): void {
  if (bytes.byteLength < 26) return;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  const bits = width * height * bytes[24] * (pngChannels[bytes[25]] ?? 1);
  // Deflate makes at most 1,032 bytes of one.
  if (bits / 8 <= 1032 * bytes.byteLength) return;
  throw malformed(
    context,
    `the picture must fit its ${bytes.byteLength} bytes, got ${width} × ${height} pixels`,
  );
}

/** A library that may be missing; its name is not written out, so that a bundler does not ask for it. */
async function load<T>(context: Context, name: string): Promise<T> {
  try {
    const found = (await import(/* @vite-ignore */ name)) as T & { default?: T };
    return found.default ?? found;
  } catch {
    throw malformed(
      context,
      `${name} must be installed, got none. Run npm install ${name}, or give a decode function`,
    );
  }
}

function fromPng({
  width,
  height,
  depth,
  channels,
  data,
  palette,
}: ReturnType<PngLibrary["decode"]>): Picture {
  if (palette !== undefined) {
    const pixels = unpacked(data, width, height, depth);
    const colours = palette[0].length;
    return planar((i, c) => palette[pixels[i]][c], colours, height, width);
  }
  const values = depth < 8 ? unpacked(data, width, height, depth) : data;
  const most = 2 ** depth - 1;
  const byte = (value: number) => (depth === 8 ? value : Math.round((value * 255) / most));
  return planar((i, c) => byte(values[i * channels + c]), channels, height, width);
}

/** Several pixels of a byte, each row from a byte of its own on. */
function unpacked(
  data: ArrayLike<number>,
  width: number,
  height: number,
  depth: number,
): ArrayLike<number> {
  const perByte = 8 / depth;
  const rowBytes = Math.ceil(width / perByte);
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    const byte = data[y * rowBytes + Math.floor(x / perByte)];
    return (byte >> (8 - depth * ((x % perByte) + 1))) & (2 ** depth - 1);
  });
}

function fromJpeg({ width, height, data }: ReturnType<JpegLibrary["decode"]>): Picture {
  return planar((i, c) => data[i * 3 + c], 3, height, width);
}

/** A picture channel by channel, as networks want it. */
function planar(
  value: (pixel: number, channel: number) => number,
  channels: number,
  height: number,
  width: number,
): Picture {
  const pixels = height * width;
  const data = new Uint8Array(channels * pixels);
  for (let c = 0; c < channels; c++) {
    for (let i = 0; i < pixels; i++) data[c * pixels + i] = value(i, c);
  }
  return { data, shape: [channels, height, width] };
}

/** Options of {@link ImageFolder}. */
export interface ImageFolderOptions {
  /** Makes a picture of a file's bytes. Default: {@link decodeImage}. */
  readonly decode?: (bytes: Uint8Array) => Picture | Promise<Picture>;
}

/**
 * Pictures in folders: the name of a folder is the class of all files in it, and classes are numbered in the order of their
 * names, as in torchvision. Hidden files are left out.
 *
 * - Items: `[picture, class]`; the class is int32 without axes, so that a batch has classes `[batch]`
 *
 * @example
 * ```ts
 * const dataset = await ImageFolder.open("pictures"); // pictures/cat/1.png, pictures/dog/7.jpg, …
 * const training = mapDataset(dataset, ([picture, label], random) => [augment(picture, random), label]);
 * ```
 */
export class ImageFolder extends Dataset<[Picture, NdArray<Int32Array>]> {
  /** The classes by their numbers. */
  readonly classes: readonly string[];
  /** The files, and the class of each. */
  readonly files: readonly { readonly path: string; readonly label: number }[];
  readonly #decode: NonNullable<ImageFolderOptions["decode"]> | undefined;

  private constructor(
    classes: readonly string[],
    files: ImageFolder["files"],
    options: ImageFolderOptions,
  ) {
    super();
    this.classes = classes;
    this.files = files;
    this.#decode = options.decode;
  }

  /** @throws DataError if the folder cannot be read, or has no folder with files. */
  static async open(folder: string, options: ImageFolderOptions = {}): Promise<ImageFolder> {
    const op = "ImageFolder";
    checkOptions(op, options, { decode: true });
    const folders = (await listFolder(op, folder)).filter((entry) => entry.isDirectory());
    const classes = folders.map(({ name }) => name);
    const lists = await Promise.all(
      classes.map(async (name, label) => {
        const inside = await listFolder(op, `${folder}/${name}`);
        return inside
          .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
          .map((entry) => ({ path: `${folder}/${name}/${entry.name}`, label }));
      }),
    );
    const files = lists.flat();
    if (files.length === 0) {
      throw malformed({ op, path: folder }, "the folder must have folders of pictures, got none");
    }
    return new ImageFolder(classes, files, options);
  }

  get length(): number {
    return this.files.length;
  }

  async get(index: number): Promise<[Picture, NdArray<Int32Array>]> {
    const { path, label } = this.files[index];
    const picture =
      this.#decode === undefined
        ? await loadImage(path)
        : await this.#decode(await readBytes("ImageFolder", path));
    return [picture, scalar(label)];
  }
}
