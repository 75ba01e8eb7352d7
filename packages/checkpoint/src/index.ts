export { CheckpointError } from "./checkpoint-error.ts";
export { decodeNpy, loadNpy } from "./npy.ts";
export { decodeNpz, encodeNpz, loadNpz, saveNpz } from "./npz.ts";
export type { PlainData } from "./plain-data.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  inspectSafetensors,
  loadSafetensors,
  type SafetensorsOptions,
  type StateDict,
  saveSafetensors,
} from "./safetensors.ts";
export type { SafetensorsEntry, SafetensorsHeader } from "./safetensors-header.ts";
export { loadShardedSafetensors } from "./sharded-safetensors.ts";
export { decodeTorch, loadTorch } from "./torch.ts";
export {
  type CheckpointContents,
  type CheckpointTargets,
  decodeCheckpoint,
  encodeCheckpoint,
  loadCheckpoint,
  type Stateful,
  saveCheckpoint,
} from "./training-checkpoint.ts";
