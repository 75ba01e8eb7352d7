import type { ElementOp } from "@gradloom/engine";
import type { Value, VectorWriter } from "./vector-writer.ts";

/** float32 functions of all four lanes at once. */
export const vectorMath: Partial<Record<ElementOp, (w: VectorWriter, x: Value) => Value>> = {};
