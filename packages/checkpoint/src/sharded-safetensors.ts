import { withFile } from "./byte-source.ts";
import { type Context, malformed, quote } from "./checkpoint-error.ts";
import { isObject, parseJson } from "./json.ts";
import { loadSafetensors, type StateDict } from "./safetensors.ts";

/** Far more than the index of any model needs. */
const mostBytes = 100 * 2 ** 20;

/**
 * Reads a model that is spread over several safetensors files, by its index: `model.safetensors.index.json`, which names the file
 * of each tensor. The files are beside it.
 *
 * - Source: https://huggingface.co/docs/safetensors/metadata_parsing, "sharded"
 *
 * @returns the tensors by name, in the order of the index.
 * @throws CheckpointError if a file cannot be read or is damaged, the index is not one, or names a file elsewhere or a tensor that
 *   its file does not have.
 *
 * @example
 * ```ts
 * const weights = await loadShardedSafetensors("gpt2-xl/model.safetensors.index.json");
 * ```
 */
export async function loadShardedSafetensors(path: string): Promise<StateDict> {
  const context: Context = { op: "loadShardedSafetensors", path };
  const places = await readIndex(path, context);
  const folder = path.slice(0, Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  const loaded = new Map<string, StateDict>();
  for (const file of new Set(places.values())) {
    loaded.set(file, await loadSafetensors(`${folder}${file}`));
  }
  const entries = [...places].map(([name, file]) => {
    const tensors = loaded.get(file)!;
    if (Object.hasOwn(tensors, name)) return [name, tensors[name]] as const;
    throw malformed(
      context,
      `${quote(file)} must hold what the index says, got no ${quote(name)} in it`,
    );
  });
  return Object.fromEntries(entries);
}

/** The file of each tensor. */
async function readIndex(path: string, context: Context): Promise<Map<string, string>> {
  const text = await withFile(context.op, path, async (source) => {
    if (source.size > mostBytes) {
      throw malformed(context, `an index must have at most ${mostBytes} bytes, got ${source.size}`);
    }
    return new TextDecoder().decode(await source.read(0, source.size));
  });
  const index = parseJson(context, "the index", text);
  const map = isObject(index) ? index.weight_map : undefined;
  if (!isObject(map)) {
    throw malformed(context, "the index must have a weight_map of names to files, got none");
  }
  const places = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    // What comes from elsewhere must not lead to other folders.
    if (typeof file !== "string" || !/^[^/\\:]+$/.test(file) || file.startsWith("..")) {
      throw malformed(
        context,
        `each file must be in the folder of the index, got ${quote(String(file))}`,
      );
    }
    places.set(name, file);
  }
  return places;
}
