/**
 * The same values, each made while the ones before are used.
 *
 * @param count - How many are made in advance, at most.
 */
export async function* ahead<T>(
  values: AsyncGenerator<T, void, undefined>,
  count: number,
): AsyncGenerator<T, void, undefined> {
  const pending: Promise<IteratorResult<T, void>>[] = [];
  try {
    for (;;) {
      while (pending.length <= count) {
        const next = values.next();
        // A failure is thrown when its turn comes; until then it is not unhandled.
        next.catch(() => {});
        pending.push(next);
      }
      const { done, value } = await pending.shift()!;
      if (done) return;
      yield value;
    }
  } finally {
    const closed = values.return();
    // What is being made in advance may take long, and nobody wants it any more.
    if (pending.length === 0) await closed;
    else closed.catch(() => {});
  }
}
