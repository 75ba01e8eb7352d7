import { decodeSafetensors, encodeSafetensors } from "@gradloom/checkpoint";
import { tensor } from "@gradloom/tensor";

const bytes = encodeSafetensors({ w: tensor([[1, 2.5]]) });

export const result: unknown = bytes.then(decodeSafetensors).then(({ w }) => w.arraySync());
export const expected: unknown = [[1, 2.5]];
