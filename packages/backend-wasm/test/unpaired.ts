/*
 * In place of `wide-simd.ts`: the same numbers come out where V8 does not pair vectors, slower.
 *
 *     vi.mock("../src/wide-simd.ts", () => import("./unpaired.ts"));
 */

export const hasWideSimd = (wanted?: boolean): boolean => wanted === true;

export const pairVectors = <T>(compile: () => T): T => compile();
