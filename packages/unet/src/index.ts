export { DoubleConv } from "./double-conv.ts";
export { Down } from "./down.ts";
export { OutConv } from "./out-conv.ts";
export { UNet, type UNetOptions } from "./unet.ts";
export { Up, type UpOptions } from "./up.ts";
