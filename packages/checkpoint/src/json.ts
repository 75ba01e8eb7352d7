import { type Context, malformed, quote } from "./checkpoint-error.ts";

/**
 * Parses JSON from a file.
 *
 * @throws CheckpointError if it is not JSON, or an object has a key twice: which of the two a reader takes is not said
 *   anywhere, so both are refused.
 */
export function parseJson(context: Context, what: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const { message } = error as Error;
    throw malformed(context, `${what} must be JSON, got an error: ${message.slice(0, 120)}`);
  }
  const twice = repeatedKey(text);
  if (twice === undefined) return value;
  throw malformed(context, `${what} must name everything once, got ${quote(twice)} twice`);
}

const token = /"(?:[^"\\]+|\\.)*"|[{}[\],:]/gs;

/** A key that an object in a valid JSON text has twice. */
function repeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  let last = "";
  for (const [found] of text.matchAll(token)) {
    if (found === "{") open.push(new Set());
    else if (found === "[") open.push(undefined);
    else if (found === "}" || found === "]") open.pop();
    else if (found === ":") {
      const keys = open.at(-1);
      const key: string = JSON.parse(last);
      if (keys?.has(key)) return key;
      keys?.add(key);
    }
    last = found;
  }
  return undefined;
}

/** Whether a value from JSON is an object. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
