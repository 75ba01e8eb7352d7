import {
  type FloatFunction,
  floatFunctions,
  floorDivide,
  integerFloorDivide,
  integerModulo,
  integerPower,
  modulo,
  power,
} from "@gradloom/engine";

/** The name of a function in {@link hostMath}. */
export type HostFunction =
  | FloatFunction
  | "mod"
  | "floorDiv"
  | "pow"
  | "integerMod"
  | "integerFloorDiv"
  | "integerPow"
  | "shl"
  | "shr";

/**
 * Functions of doubles that kernel modules import as `h.<name>`, for what is rare or hard to vectorise:
 * kernels call them lane by lane.
 */
export const hostMath: Readonly<Record<HostFunction, (a: number, b: number) => number>> = {
  ...floatFunctions,
  mod: modulo,
  floorDiv: floorDivide,
  pow: power,
  integerMod: integerModulo,
  integerFloorDiv: integerFloorDivide,
  integerPow: integerPower,
  shl: (a, b) => a << b,
  shr: (a, b) => a >>> b,
};
