// How numbers are written for people.

/** Three significant digits: `0.00251`, `1.24e-7`. Not for numbers that must be exact. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const size = Math.abs(value);
  return size >= 1e-4 && size < 1e6 ? String(Number(value.toPrecision(3))) : value.toExponential(2);
}

/** A whole number with commas: `12,345`. */
export function whole(value: number): string {
  // Not by toLocaleString: its first call takes 30 ms, and the first step waits for it.
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A time: `430 ms`, `2.1 s`, `3 min 05 s`. */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const rounded = Math.round(seconds);
  return `${Math.floor(rounded / 60)} min ${String(rounded % 60).padStart(2, "0")} s`;
}
