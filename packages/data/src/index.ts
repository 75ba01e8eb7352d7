import * as transforms from "./transforms/index.ts";

export { type Batch, defaultCollate, type NdArray, scalar } from "./collate.ts";
export { type ColumnType, type CsvOptions, loadCsv, parseCsv, type Row, Table } from "./csv.ts";
export { DataError, type DataErrorDetails } from "./data-error.ts";
export {
  DataLoader,
  type DataLoaderOptions,
  type DataLoaderState,
  type DataLoaderStats,
} from "./data-loader.ts";
export { Dataset, type DatasetModule, type Items, IterableDataset } from "./dataset.ts";
export { decodeIdx, loadIdx } from "./idx.ts";
export {
  decodeImage,
  ImageFolder,
  type ImageFolderOptions,
  loadImage,
  type Picture,
} from "./image.ts";
export { JsonLinesDataset } from "./json-lines.ts";
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
export { readLines } from "./text.ts";
export { TextDataset, type TextDatasetOptions } from "./text-dataset.ts";
export { mapDataset } from "./transforms/compose.ts";
export { loadText, Vocabulary } from "./vocabulary.ts";
export { decodeWav, encodeWav, loadWav, type Sound, saveWav } from "./wav.ts";
/** What happens to items: `transforms.compose(transforms.randomCrop(28, { padding: 2 }), transforms.randomHorizontalFlip())`. */
export { transforms };
