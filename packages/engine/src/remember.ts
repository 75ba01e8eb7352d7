/** The position of something in a list, to which it is added if it is not there. */
export function positionOf<T>(list: T[], item: T): number {
  const known = list.indexOf(item);
  return known < 0 ? list.push(item) - 1 : known;
}

/** What a map has for a key; where it has nothing yet, that is made, and kept. */
export function remember<K, V>(known: Map<K, V>, key: K, make: () => V): V {
  let value = known.get(key);
  if (value === undefined) {
    value = make();
    known.set(key, value);
  }
  return value;
}
