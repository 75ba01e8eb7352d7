// Dates as people write them, and as they should be written.
import { Generator, randint } from "@gradloom/tensor";

/** A date in some style, and the same as `2024-03-07`. */
export interface WrittenDate {
  readonly given: string;
  readonly wanted: string;
}

const months =
  "January February March April May June July August September October November December".split(
    " ",
  );
const weekdays = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");

interface Parts {
  readonly day: number;
  readonly month: number;
  readonly year: number;
  readonly weekday: string;
}

const two = (n: number) => String(n).padStart(2, "0");
const ordinal = (n: number) => {
  const isTeen = n >= 11 && n <= 13;
  return `${n}${isTeen ? "th" : (["th", "st", "nd", "rd"][n % 10] ?? "th")}`;
};

const styles: readonly ((parts: Parts) => string)[] = [
  ({ day, month, year }) => `${day} ${months[month - 1]} ${year}`,
  ({ day, month, year }) => `${months[month - 1]} ${day}, ${year}`,
  ({ day, month, year }) => `${months[month - 1].slice(0, 3).toLowerCase()} ${day} ${year}`,
  ({ day, month, year }) => `the ${ordinal(day)} of ${months[month - 1]} ${year}`,
  ({ day, month, year }) => `${day}.${month}.${year}`,
  ({ day, month, year }) => `${two(month)}/${two(day)}/${year}`,
  ({ day, month, year, weekday }) =>
    `${weekday}, ${ordinal(day)} ${months[month - 1].slice(0, 3)} ${year}`,
  ({ day, month, year }) => `${year}年${month}月${day}日`,
];

/** Different dates from 1900 to 2099, each in a style drawn at random: those to learn from, then those for the test. */
export async function makeDates(
  seed: number,
  count: number,
  heldOutCount: number,
): Promise<{ training: WrittenDate[]; heldOut: WrittenDate[] }> {
  const generator = new Generator(seed);
  const first = Date.UTC(1900, 0, 1);
  const oneDay = 24 * 3600 * 1000;
  const days = Math.round((Date.UTC(2100, 0, 1) - first) / oneDay);
  const total = count + heldOutCount;
  const draws = await randint(0, days * styles.length, [2 * total], { generator }).data();
  const distinct = [...new Set(Array.from(draws, Number))].slice(0, total);
  const dates = distinct.map((draw) => {
    const date = new Date(first + Math.floor(draw / styles.length) * oneDay);
    const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate()];
    const given = styles[draw % styles.length]({
      day,
      month,
      year,
      weekday: weekdays[date.getUTCDay()],
    });
    return { given, wanted: `${year}-${two(month)}-${two(day)}` };
  });
  return { training: dates.slice(heldOutCount), heldOut: dates.slice(0, heldOutCount) };
}
