import { fromTypedArray, type Tensor, type TypedArray } from "@gradloom/tensor";
import { type ByteSource, memorySource, withFile } from "./byte-source.ts";
import { type Context, guarded, malformed, quote } from "./checkpoint-error.ts";
import { elementsOf, readValues, type StoredType, storedTypes } from "./element-type.ts";
import type { StateDict } from "./safetensors.ts";
import { checkPickleSize, Global, unpickle } from "./unpickler.ts";
import { readEntry, readZip, type ZipEntry } from "./zip-reader.ts";

const storedTypeOf: Readonly<Record<string, StoredType>> = {
  "torch.DoubleStorage": "F64",
  "torch.FloatStorage": "F32",
  "torch.HalfStorage": "F16",
  "torch.BFloat16Storage": "BF16",
  "torch.LongStorage": "I64",
  "torch.IntStorage": "I32",
  "torch.ShortStorage": "I16",
  "torch.CharStorage": "I8",
  "torch.ByteStorage": "U8",
  "torch.BoolStorage": "BOOL",
};

/** Views of one storage may take so many times the bytes of the file together. */
const mostExpansion = 16;

/** Where the numbers of tensors are. */
class Storage {
  readonly type: StoredType;
  readonly key: string;
  readonly length: number;

  constructor(type: StoredType, key: string, length: number) {
    this.type = type;
    this.key = key;
    this.length = length;
  }
}

/** A view of a storage: a tensor before its numbers are there. */
interface View {
  readonly storage: Storage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/**
 * Reads what `torch.save` has written since PyTorch 1.6, without running any of it: tensors, parameters, numbers, texts,
 * `None`, booleans, lists, tuples and dictionaries. Anything else is refused by its name: a model that was pickled as a
 * whole, say. Save `model.state_dict()` instead.
 *
 * float16 and bfloat16 become float32; int64, int16 and int8 become int32; tuples become arrays; keys of dictionaries
 * become texts. Parameters that are tied stay one tensor.
 *
 * @typeParam T - What is in the file. Default: a state dict.
 * @throws CheckpointError if the file cannot be read, is damaged, or holds something else.
 *
 * @example
 * ```ts
 * model.loadStateDict(await loadTorch("model.pt"));
 * const { optimizer } = await loadTorch<{ optimizer: OptimizerStateDict }>("training.pt");
 * ```
 */
export function loadTorch<T = StateDict>(path: string): Promise<T> {
  return withFile("loadTorch", path, readTorch<T>);
}

/** {@link loadTorch} for bytes in memory, also in browsers. */
export async function decodeTorch<T = StateDict>(bytes: Uint8Array): Promise<T> {
  return readTorch(memorySource("decodeTorch", bytes));
}

function readTorch<T>(source: ByteSource): Promise<T> {
  return guarded(source, async () => {
    await refuseOld(source);
    const entries = await readZip(source);
    const pickles = [...entries.keys()].filter((name) => name.endsWith("/data.pkl"));
    if (pickles.length !== 1) {
      throw malformed(source, `the archive must hold one data.pkl, got ${pickles.length}`);
    }
    const folder = pickles[0].slice(0, -"data.pkl".length);
    await refuseBigEndian(source, entries.get(`${folder}byteorder`));
    const entry = entries.get(pickles[0])!;
    checkPickleSize(source, entry.size);
    const pickle = await readEntry(source, entry);

    // Once to see which tensors there are, and once more with them.
    const views = new Views(source, entries, `${folder}data/`);
    unpickle(source, pickle, {
      ...meanings(source),
      call: calls(source, (view) => views.add(view)),
    });
    const tensors = await views.read();
    return unpickle(source, pickle, {
      ...meanings(source),
      call: calls(source, (view) => tensors.get(keyOf(view))),
    }) as T;
  });
}

/** Files from before 1.6 are a pickle, not an archive. */
async function refuseOld(source: ByteSource): Promise<void> {
  const start = source.size >= 2 ? await source.read(0, 2) : new Uint8Array(2);
  if (start[0] === 0x50 && start[1] === 0x4b) return;
  throw malformed(
    source,
    "the file must be a zip archive, as PyTorch writes since version 1.6, got another. Load it there and save it again",
  );
}

async function refuseBigEndian(source: ByteSource, entry: ZipEntry | undefined): Promise<void> {
  if (entry === undefined || entry.size > 16) return;
  const order = new TextDecoder().decode(await readEntry(source, entry));
  if (order === "little") return;
  throw malformed(source, `the byte order must be little, got ${quote(order)}`);
}

function meanings(context: Context): { persistent(id: unknown): unknown } {
  return {
    persistent: (id) => {
      const [kind, type, key, , length] = Array.isArray(id) ? id : [];
      const isRight =
        kind === "storage" && type instanceof Global && typeof key === "string" && isWhole(length);
      if (!isRight) throw malformed(context, "what is outside of the pickle must be a storage");
      if (Object.hasOwn(storedTypeOf, type.name)) {
        return new Storage(storedTypeOf[type.name], key, length);
      }
      throw malformed(
        context,
        `a storage must be one of ${Object.keys(storedTypeOf).join(", ")}, got ${quote(type.name)}`,
      );
    },
  };
}

/** The functions that a pickle may call: those that rebuild a tensor. */
function calls(context: Context, make: (view: View) => unknown) {
  return (name: string, args: readonly unknown[]): unknown => {
    switch (name) {
      case "torch._utils._rebuild_tensor_v2":
        return make(viewOf(context, args));
      case "torch._utils._rebuild_parameter":
        return args[0];
      case "torch.Size":
        return Array.isArray(args[0]) ? args[0] : undefined;
      default:
        return undefined;
    }
  };
}

function viewOf(context: Context, args: readonly unknown[]): View {
  const [storage, offset, shape, strides] = args;
  const isRight =
    storage instanceof Storage &&
    isWhole(offset) &&
    Array.isArray(shape) &&
    Array.isArray(strides) &&
    shape.length === strides.length &&
    [...shape, ...strides].every(isWhole);
  if (!isRight)
    throw malformed(context, "a tensor must have a storage, an offset, sizes and strides");
  const count = elementsOf(context, `storage ${storage.key}`, shape);
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis], offset);
  if (count > 0 && last >= storage.length) {
    throw malformed(
      context,
      `a tensor must lie in its storage of ${storage.length} elements, got element ${last}`,
    );
  }
  return { storage, offset, shape, strides };
}

/** The tensors of a file, each of them once. */
class Views {
  readonly #source: ByteSource;
  readonly #entries: ReadonlyMap<string, ZipEntry>;
  readonly #folder: string;
  readonly #views = new Map<string, View>();
  #bytes = 0;

  constructor(source: ByteSource, entries: ReadonlyMap<string, ZipEntry>, folder: string) {
    this.#source = source;
    this.#entries = entries;
    this.#folder = folder;
  }

  /** Takes note of a tensor. What it gives stands for it until the tensors are read. */
  add(view: View): object {
    const key = keyOf(view);
    if (this.#views.has(key)) return view;
    const { storage, shape } = view;
    this.#bytes += shape.reduce((a, b) => a * b, 1) * storedTypes[storage.type].bytes;
    if (this.#bytes > mostExpansion * this.#source.size) {
      throw malformed(
        this.#source,
        `tensors must take at most ${mostExpansion} times the bytes of the file, got more. Save contiguous ones`,
      );
    }
    this.#views.set(key, view);
    return view;
  }

  /** The tensors; each storage is read once, and let go after its last tensor. */
  async read(): Promise<ReadonlyMap<string, Tensor>> {
    const byStorage = new Map<string, [string, View][]>();
    for (const [key, view] of this.#views) {
      const { storage } = view;
      const name = `${storage.key}|${storage.type}|${storage.length}`;
      const views = byStorage.get(name);
      if (views === undefined) byStorage.set(name, [[key, view]]);
      else views.push([key, view]);
    }
    const tensors = new Map<string, Tensor>();
    for (const views of byStorage.values()) {
      const { storage } = views[0][1];
      const { dtype } = storedTypes[storage.type];
      const bytes = await this.#contents(storage);
      const all = readValues(this.#source, `storage ${storage.key}`, storage.type, bytes);
      for (const [key, view] of views) {
        tensors.set(key, fromTypedArray(elements(all, view), view.shape, { dtype }));
      }
    }
    return tensors;
  }

  async #contents({ key, type, length }: Storage): Promise<Uint8Array<ArrayBuffer>> {
    const entry = this.#entries.get(this.#folder + key);
    const wanted = length * storedTypes[type].bytes;
    if (entry?.size !== wanted) {
      throw malformed(
        this.#source,
        `storage ${quote(key)} must have ${wanted} bytes, got ${entry?.size ?? "none"}`,
      );
    }
    return readEntry(this.#source, entry);
  }
}

/** The elements of a view of a storage, in row-major order. */
function elements(all: TypedArray, { offset, shape, strides }: View): TypedArray {
  const count = shape.reduce((product, size) => product * size, 1);
  let isContiguous = true;
  for (let axis = shape.length - 1, step = 1; axis >= 0; step *= shape[axis--]) {
    isContiguous &&= shape[axis] === 1 || strides[axis] === step;
  }
  if (isContiguous || count === 0) return all.subarray(offset, offset + count);
  // Positions of the first axis, then of the first two, and so on.
  let positions = Float64Array.of(offset);
  shape.forEach((size, axis) => {
    const next = new Float64Array(positions.length * size);
    positions.forEach((position, i) => {
      for (let k = 0; k < size; k++) next[i * size + k] = position + k * strides[axis];
    });
    positions = next;
  });
  const picked = createLike(all, count);
  for (let i = 0; i < count; i++) picked[i] = all[positions[i]];
  return picked;
}

function createLike(array: TypedArray, length: number): TypedArray {
  if (array instanceof Float64Array) return new Float64Array(length);
  if (array instanceof Float32Array) return new Float32Array(length);
  return array instanceof Int32Array ? new Int32Array(length) : new Uint8Array(length);
}

function keyOf({ storage, offset, shape, strides }: View): string {
  return [storage.key, storage.type, storage.length, offset, shape.join(), strides.join()].join(
    "|",
  );
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
