import { ArgumentError, ones, type Tensor } from "@gradloom/tensor";
import { expect, test } from "vitest";
import {
  decodeCheckpoint,
  decodeNpy,
  decodeNpz,
  decodeSafetensors,
  decodeTorch,
  encodeCheckpoint,
  encodeNpz,
  encodeSafetensors,
} from "../src/index.ts";

class Model {
  readonly size: number = 1;
  readonly weight: Tensor = ones([1]);

  stateDict(): Record<string, Tensor> {
    return { weight: this.weight };
  }

  loadStateDict(): void {}
}

const model = new Model();

test.each([decodeSafetensors, decodeTorch, decodeNpy, decodeNpz, decodeCheckpoint])(
  "%o takes a Uint8Array",
  async (decode) => {
    const of = (bytes: unknown) => decode(bytes as Uint8Array);
    await expect(of(new ArrayBuffer(9))).rejects.toThrow(ArgumentError);
    await expect(of(new ArrayBuffer(9))).rejects.toThrow(
      `${decode.name}: the bytes must be a Uint8Array, got [object ArrayBuffer]. Pass new Uint8Array(buffer).`,
    );
    await expect(of(undefined)).rejects.toThrow("got [object Undefined].");
  },
);

test("a model is not its state dict, and no list of what to keep", async () => {
  const wrong = model as never;
  await expect(encodeSafetensors(wrong)).rejects.toThrow("Of a model, pass its stateDict().");
  await expect(encodeNpz(wrong)).rejects.toThrow("Of a model, pass its stateDict().");
  await expect(encodeCheckpoint(wrong)).rejects.toThrow(
    "encodeCheckpoint: there must be an object of what to keep, got Model. Pass { model, optimizer }, say.",
  );
  for (const encode of [encodeSafetensors, encodeNpz, encodeCheckpoint]) {
    await expect(encode(undefined as never)).rejects.toThrow(ArgumentError);
  }
});

test("texts that are stored are an option of their own", async () => {
  const call = () => encodeSafetensors(model.stateDict(), { format: "pt" } as never);
  await expect(call()).rejects.toThrow(
    "encodeSafetensors: options must be among metadata, got format.",
  );
});

test("a target must be able to load", async () => {
  const bytes = await encodeCheckpoint({ model, step: 3 });
  const targets = { step: 4 } as never;
  await expect(decodeCheckpoint(bytes, targets)).rejects.toThrow(
    "decodeCheckpoint: targets must have loadStateDict, got 4 as step.",
  );
});
