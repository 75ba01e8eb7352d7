/**
 * What a promise gives; every 40 ms only when timers, signals and messages have had a turn. Where nothing has to be waited for, they
 * would have none in a loop that reads a value in each step.
 */
export async function inTurn<T>(result: Promise<T>): Promise<T> {
  const value = await result;
  if (performance.now() > next) {
    await new Promise((resolve) => setTimeout(resolve));
    next = performance.now() + 40;
  }
  return value;
}

let next = 0;
