export { type Batch, defaultCollate, type NdArray } from "./collate.ts";
export { DataError, type DataErrorDetails } from "./data-error.ts";
export {
  DataLoader,
  type DataLoaderOptions,
  type DataLoaderState,
  type DataLoaderStats,
} from "./data-loader.ts";
export { Dataset, type DatasetModule, type Items, IterableDataset } from "./dataset.ts";
export {
  type AmplitudeToDbOptions,
  amplitudeToDb,
  type MelOptions,
  type MelSpectrogramOptions,
  melFilterbank,
  melSpectrogram,
} from "./mel-spectrogram.ts";
export { type LoadDatasetOptions, loadDataset } from "./module-dataset.ts";
export { Random, type Seeding } from "./random.ts";
export type { Sampler } from "./sampler.ts";
export { type SpectrogramOptions, spectrogram } from "./spectrogram.ts";
export { randomSplit, Subset } from "./subset.ts";
export { type SameTensors, TensorDataset } from "./tensor-dataset.ts";
