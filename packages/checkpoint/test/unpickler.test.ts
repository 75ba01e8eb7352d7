import { describe, expect, test } from "vitest";
import { CheckpointError } from "../src/index.ts";
import { type Meanings, unpickle } from "../src/unpickler.ts";

const nothing: Meanings = {
  call: () => undefined,
  persistent: () => {
    throw new CheckpointError("it: must not be asked for.");
  },
};

/** A pickle, from operations written as latin-1 text. */
const read = (text: string): unknown =>
  unpickle(
    { op: "test", size: text.length },
    Uint8Array.from(text, (c) => c.charCodeAt(0)),
    nothing,
  );

describe("a pickle that fills the memory", () => {
  const many = (operation: string) => `${operation.repeat(20_000)}N.`;
  test.each([
    ["}", "containers"],
    ["]", "containers"],
    [")", "containers"],
    ["N\x85", "containers"],
    ["(t", "containers"],
    ["(d", "containers"],
    ["ccollections\nOrderedDict\n)R", "containers"],
    ["N\x94", "memos"],
  ])("of %j", (operation, what) => {
    const bytes = Uint8Array.from(many(operation), (c) => c.charCodeAt(0));
    expect(() => unpickle({ op: "test", size: 1000 }, bytes, nothing)).toThrow(
      `test: the pickle: there must be fewer ${what} in a file of 1000 bytes, got `,
    );
  });

  test("by an index that is far away", () => {
    const kept = Array.from({ length: 256 }, (_, i) => `r${String.fromCharCode(i)}\x00\x00\xff`);
    expect(read(`N${kept.join("")}.`)).toBe(null);
  });
});

describe("plain values", () => {
  // Each is what Python's pickletools shows for pickle.dumps(value, 2), without memo.
  test.each([
    ["K\x05.", 5],
    ["M\x00\x01.", 256],
    ["J\xff\xff\xff\xff.", -1],
    ["\x8a\x05\x00\x00\x00\x00\x01.", 2 ** 32],
    ["\x8a\x01\x80.", -128],
    ["\x8a\x00.", 0],
    ["G?\xf8\x00\x00\x00\x00\x00\x00.", 1.5],
    ["N.", null],
    ["\x88.", true],
    ["\x89.", false],
    ["X\x02\x00\x00\x00\xc3\xa9.", "é"],
    ["\x8c\x01a.", "a"],
    [").", []],
    ["K\x01\x85.", [1]],
    ["K\x01K\x02\x86.", [1, 2]],
    ["K\x01K\x02K\x03\x87.", [1, 2, 3]],
    ["(K\x01K\x02K\x03K\x04t.", [1, 2, 3, 4]],
    ["](K\x01K\x02e.", [1, 2]],
    ["]K\x07a.", [7]],
    ["}X\x01\x00\x00\x00aK\x01s.", { a: 1 }],
    ["}(X\x01\x00\x00\x00aK\x01K\x02Nu.", { a: 1, "2": null }],
    ["(K\x01Nd.", { "1": null }],
    ["K\x01K\x020.", 1],
    ["\x80\x04\x95\x02\x00\x00\x00\x00\x00\x00\x00K\x01.", 1],
    ["K\x05\x94h\x00\x86.", [5, 5]],
    ["ccollections\nOrderedDict\n)R}b.", {}],
    ["\x8c\x0bcollections\x8c\x0bOrderedDict\x93)\x81.", {}],
    ["ccollections\nCounter\n}K\x05K\x02s\x85R.", { "5": 2 }],
  ])("%j", (text, value) => {
    expect(read(text)).toEqual(value);
  });

  test("what is shared stays shared, also in a circle", () => {
    const [a, b] = read("]q\x00h\x00\x86.") as unknown[];
    expect(a).toBe(b);
    const circle = read("]q\x00h\x00a.") as unknown[];
    expect(circle[0]).toBe(circle);
    const map = read("}X\x09\x00\x00\x00__proto__K\x01s.") as object;
    expect(Object.getPrototypeOf(map)).toBe(Object.prototype);
    expect(Object.entries(map)).toEqual([["__proto__", 1]]);
  });
});

describe("what is refused", () => {
  test.each([
    ["cos\nsystem\n(X\x02\x00\x00\x00lstR.", 'got "os.system"'],
    [
      "cos\nsystem\nX\x02\x00\x00\x00ls\x85R.",
      'values must be tensors and plain containers, got "os.system"',
    ],
    ["cbuiltins\neval\n)\x81.", 'got "builtins.eval"'],
    ["ccollections\nOrderedDict\nK\x01\x85R.", 'got "collections.OrderedDict"'],
    ["ccollections\nCounter\nX\x01\x00\x00\x00a\x85R.", 'got "collections.Counter"'],
    ["(ios\nsystem\n.", "operations must build plain values, got 0x69 at 1"],
    ["(cos\nsystem\no.", "got 0x6f"],
    ["\x82\x01.", "got 0x82 at 0"],
    ["Pid\n.", "got 0x50"],
    ["I1\n.", "got 0x49"],
    ["\x80\x01N.", "the protocol must be 2 to 5, got 1"],
    ["\x80\x06N.", "got 6"],
    [".", "the stack must hold what is used, got too little"],
    ["K\x01\x86.", "got too little"],
    ["(\x85.", "got too little"],
    ["t.", "a mark must have been set, got none"],
    ["h\x03.", "a value must have been kept, got none as number 3"],
    ["NK\x01a.", "values must be appended to a list"],
    ["]NNs.", "entries must be pairs for a dictionary"],
    ["}(Nu.", "entries must be pairs for a dictionary"],
    ["}]Ns.", "keys of dictionaries must be texts or numbers"],
    ["]}b.", "attributes must belong to a dictionary"],
    ["NN\x85R.", "only named functions must be called"],
    ["X\xff\xff\xff\xffa", "got the end of the bytes"],
    ["cnever ends", "a name must end"],
    ["N", "got the end of the bytes"],
    [
      "\x8a\x08\x01\x00\x00\x00\x00\x00\x00\x10.",
      "integers must be exact as numbers, got 1152921504606846977",
    ],
  ])("%j", (text, message) => {
    expect(() => read(text)).toThrow(CheckpointError);
    expect(() => read(text)).toThrow(message);
  });
});
