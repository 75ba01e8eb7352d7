export { compose, type Transform } from "./compose.ts";
export {
  centerCrop,
  gaussianNoise,
  normalize,
  oneHot,
  type Planes,
  randomCrop,
  randomHorizontalFlip,
  randomRotation,
  randomVerticalFlip,
  resize,
  type Size,
  toFloat,
  toTensor,
} from "./image.ts";
