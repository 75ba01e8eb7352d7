/** A function that remembers its last result. */
export function once<A, R>(fn: (arg: A) => R): (arg: A) => R {
  let last: { readonly arg: A; readonly result: R } | undefined;
  return (arg) => {
    if (last?.arg !== arg) last = { arg, result: fn(arg) };
    return last.result;
  };
}
