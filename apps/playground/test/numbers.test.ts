import { expect, test } from "vitest";
import { duration, short, whole } from "../src/numbers.ts";

test("short has three significant digits", () => {
  expect([0.00251234, 12.3456, 0, -0.5, 1e-7, 2_500_000, Number.NaN].map(short)).toEqual([
    "0.00251",
    "12.3",
    "0",
    "-0.5",
    "1.00e-7",
    "2.50e+6",
    "NaN",
  ]);
});

test("whole has commas, duration a unit that fits", () => {
  expect(whole(1234567.4)).toBe("1,234,567");
  const seconds = [0.0304, 2.04, 59.97, 185, 3599.7, Number.POSITIVE_INFINITY];
  expect(seconds.map(duration)).toEqual([
    "30 ms",
    "2.0 s",
    "60.0 s",
    "3 min 05 s",
    "60 min 00 s",
    "–",
  ]);
});
