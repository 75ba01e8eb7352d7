import { type Context, malformed, quote } from "./checkpoint-error.ts";

/** A list, tuple or dictionary of Python while it is filled; a dictionary's keys are texts. */
type Container = unknown[] | Map<string, unknown>;

/** A class or function that is named. It is never looked up, only compared with names that are known. */
export class Global {
  readonly name: string;

  constructor(module: string, name: string) {
    this.name = `${module}.${name}`;
  }
}

/** What the names in a pickle mean. What is not answered is refused. */
export interface Meanings {
  /** What calling a named function gives; `undefined` to refuse. */
  call(name: string, args: readonly unknown[]): unknown;
  /** What stands for something outside of the pickle. */
  persistent(id: unknown): unknown;
}

const mark = Symbol("mark");

/** What may come of the bytes of a file, however well they are packed: a hostile pickle makes a container of each byte. */
const most = {
  pickleBytes: (fileBytes: number) => Math.min(2 ** 16 + 32 * fileBytes, 2 ** 26),
  containers: (fileBytes: number) => Math.min(10_000 + fileBytes / 8, 4e6),
  memos: (fileBytes: number) => Math.min(10_000 + fileBytes / 4, 8e6),
};

/**
 * Reads a pickle that holds numbers, texts, `None`, booleans, lists, tuples, dictionaries, and what `meanings` knows. It
 * runs nothing: a name is a name, and all operations that could do more than build such values are refused.
 *
 * - Source: https://docs.python.org/3/library/pickletools.html, protocols 2 to 5
 *
 * @throws CheckpointError for anything else.
 */
export function unpickle(
  context: Context & { readonly size: number },
  bytes: Uint8Array,
  meanings: Meanings,
): unknown {
  return new Unpickler(context, bytes, meanings).run();
}

/** @throws CheckpointError if a pickle of so many bytes is surely hostile in a file of this size. */
export function checkPickleSize(context: Context & { readonly size: number }, bytes: number): void {
  if (bytes <= most.pickleBytes(context.size)) return;
  throw malformed(
    context,
    `the pickle must have at most ${most.pickleBytes(context.size)} bytes in a file of ${context.size}, got ${bytes}`,
  );
}

class Unpickler {
  readonly #context: Context & { readonly size: number };
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #meanings: Meanings;
  readonly #stack: unknown[] = [];
  readonly #memo = new Map<number, unknown>();
  #at = 0;
  #containers = 0;

  constructor(context: Context & { readonly size: number }, bytes: Uint8Array, meanings: Meanings) {
    this.#context = context;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#meanings = meanings;
  }

  run(): unknown {
    for (;;) {
      const start = this.#at;
      const code = this.#byte();
      if (code === 0x2e) return toPlain(this.#pop()); // STOP
      this.#step(code, start);
    }
  }

  #step(code: number, start: number): void {
    const stack = this.#stack;
    switch (String.fromCharCode(code)) {
      case "\x80": // PROTO
        this.#checkProtocol(this.#byte());
        return;
      case "\x95": // FRAME
        this.#take(8);
        return;
      case "(":
        stack.push(mark);
        return;
      case "0":
        this.#pop();
        return;
      case "N":
        stack.push(null);
        return;
      case "\x88":
        stack.push(true);
        return;
      case "\x89":
        stack.push(false);
        return;
      case "J":
        stack.push(this.#view.getInt32(this.#take(4), true));
        return;
      case "K":
        stack.push(this.#byte());
        return;
      case "M":
        stack.push(this.#view.getUint16(this.#take(2), true));
        return;
      case "\x8a": // LONG1
        stack.push(this.#long(this.#byte()));
        return;
      case "G":
        stack.push(this.#view.getFloat64(this.#take(8), false));
        return;
      case "X":
        stack.push(this.#text(this.#u32()));
        return;
      case "\x8c": // SHORT_BINUNICODE
        stack.push(this.#text(this.#byte()));
        return;
      case "]":
      case ")":
        this.#pushContainer([]);
        return;
      case "}":
        this.#pushContainer(new Map());
        return;
      case "t":
      case "l":
        this.#pushContainer(this.#toMark());
        return;
      case "d":
        this.#pushContainer(this.#fill(new Map(), this.#toMark()));
        return;
      case "\x85":
        this.#pushContainer(this.#topMost(1));
        return;
      case "\x86":
        this.#pushContainer(this.#topMost(2));
        return;
      case "\x87":
        this.#pushContainer(this.#topMost(3));
        return;
      case "a": {
        const value = this.#pop();
        this.#list(this.#top()).push(value);
        return;
      }
      case "e": {
        const values = this.#toMark();
        const list = this.#list(this.#top());
        for (const value of values) list.push(value);
        return;
      }
      case "s": {
        const entry = this.#topMost(2);
        this.#fill(this.#top(), entry);
        return;
      }
      case "u": {
        const entries = this.#toMark();
        this.#fill(this.#top(), entries);
        return;
      }
      case "q":
        this.#keep(this.#byte());
        return;
      case "r":
        this.#keep(this.#u32());
        return;
      case "\x94": // MEMOIZE
        this.#keep(this.#memo.size);
        return;
      case "h":
        stack.push(this.#recall(this.#byte()));
        return;
      case "j":
        stack.push(this.#recall(this.#u32()));
        return;
      case "c":
        stack.push(new Global(this.#line(), this.#line()));
        return;
      case "\x93": {
        // STACK_GLOBAL
        const [module, name] = this.#topMost(2);
        stack.push(new Global(String(module), String(name)));
        return;
      }
      case "R":
      case "\x81": // NEWOBJ: a class is called
        this.#call();
        return;
      case "b":
        this.#build();
        return;
      case "Q":
        stack.push(this.#meanings.persistent(this.#pop()));
        return;
      default:
        throw this.#refuse(
          `operations must build plain values, got 0x${code.toString(16).padStart(2, "0")} at ${start}`,
        );
    }
  }

  #pushContainer(container: Container): void {
    this.#containers += 1;
    this.#checkCount("containers", this.#containers);
    this.#stack.push(container);
  }

  #keep(index: number): void {
    this.#memo.set(index, this.#top());
    this.#checkCount("memos", this.#memo.size);
  }

  #checkCount(what: "containers" | "memos", count: number): void {
    const { size } = this.#context;
    if (count <= most[what](size)) return;
    throw this.#refuse(`there must be fewer ${what} in a file of ${size} bytes, got ${count}`);
  }

  #call(): void {
    const [callable, args] = this.#topMost(2);
    if (!(callable instanceof Global) || !Array.isArray(args)) {
      throw this.#refuse("only named functions must be called, got another value");
    }
    if (callable.name === "collections.OrderedDict" && args.length === 0) {
      this.#pushContainer(new Map());
      return;
    }
    // A dictionary of counts, such as PyTorch's MultiStepLR keeps of its milestones.
    if (callable.name === "collections.Counter" && args.length === 1 && args[0] instanceof Map) {
      this.#stack.push(args[0]);
      return;
    }
    const result = this.#meanings.call(callable.name, args);
    if (result === undefined) {
      throw this.#refuse(
        `values must be tensors and plain containers, got ${quote(callable.name)}. Save a state dict of tensors, numbers, texts, lists and dicts`,
      );
    }
    this.#stack.push(result);
  }

  /** Attributes: a dictionary of PyTorch carries `_metadata`, which means nothing here. */
  #build(): void {
    this.#pop();
    if (this.#top() instanceof Map) return;
    throw this.#refuse("attributes must belong to a dictionary, got another value");
  }

  #checkProtocol(protocol: number): void {
    if (protocol >= 2 && protocol <= 5) return;
    throw this.#refuse(`the protocol must be 2 to 5, got ${protocol}`);
  }

  #fill(target: unknown, entries: readonly unknown[]): Map<string, unknown> {
    if (!(target instanceof Map) || entries.length % 2 !== 0) {
      throw this.#refuse("entries must be pairs for a dictionary, got others");
    }
    for (let i = 0; i < entries.length; i += 2) {
      const key = entries[i];
      if (typeof key !== "string" && typeof key !== "number" && typeof key !== "boolean") {
        throw this.#refuse("keys of dictionaries must be texts or numbers, got another value");
      }
      target.set(String(key), entries[i + 1]);
    }
    return target;
  }

  #list(value: unknown): unknown[] {
    if (Array.isArray(value)) return value;
    throw this.#refuse("values must be appended to a list, got another value");
  }

  #toMark(): unknown[] {
    const start = this.#stack.lastIndexOf(mark);
    if (start < 0) throw this.#refuse("a mark must have been set, got none");
    const values = this.#stack.splice(start);
    return values.slice(1);
  }

  #topMost(count: number): unknown[] {
    const values = this.#stack.splice(Math.max(this.#stack.length - count, 0));
    if (values.length === count && !values.includes(mark)) return values;
    throw this.#refuse("the stack must hold what is used, got too little");
  }

  #pop(): unknown {
    return this.#topMost(1)[0];
  }

  #top(): unknown {
    const value = this.#stack.at(-1);
    if (this.#stack.length > 0 && value !== mark) return value;
    throw this.#refuse("the stack must hold what is used, got too little");
  }

  #recall(index: number): unknown {
    if (this.#memo.has(index)) return this.#memo.get(index);
    throw this.#refuse(`a value must have been kept, got none as number ${index}`);
  }

  #take(count: number): number {
    const start = this.#at;
    this.#at += count;
    if (this.#at <= this.#bytes.length) return start;
    throw this.#refuse("the pickle must end with its last operation, got the end of the bytes");
  }

  #byte(): number {
    return this.#bytes[this.#take(1)];
  }

  #u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  #text(length: number): string {
    const start = this.#take(length);
    return new TextDecoder().decode(this.#bytes.subarray(start, start + length));
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0) throw this.#refuse("a name must end, got the end of the bytes");
    return this.#text(end + 1 - this.#at).trimEnd();
  }

  #long(length: number): number {
    const start = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#bytes[start + i]);
    const signed = BigInt.asIntN(8 * length, value);
    if (BigInt(Number(signed)) === signed) return Number(signed);
    throw this.#refuse(`integers must be exact as numbers, got ${signed}`);
  }

  #refuse(text: string): Error {
    return malformed(this.#context, `the pickle: ${text}`);
  }
}

/** Dictionaries as objects. What several places share stays shared, also in a circle. */
function toPlain(root: unknown): unknown {
  const known = new Map<Container, object>();
  const pending: [Container, unknown[] | Record<string, unknown>][] = [];
  const convert = (value: unknown): unknown => {
    if (!Array.isArray(value) && !(value instanceof Map)) return value;
    let made = known.get(value) as unknown[] | Record<string, unknown> | undefined;
    if (made === undefined) {
      made = Array.isArray(value) ? [] : {};
      known.set(value, made);
      pending.push([value, made]);
    }
    return made;
  };
  const result = convert(root);
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [from, to] = next;
    for (const [key, value] of from.entries()) {
      // As an own property also if it is called __proto__.
      Object.defineProperty(to, key, {
        value: convert(value),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    }
  }
  return result;
}
