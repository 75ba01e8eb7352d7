// SVG to PNG without a browser, without native code, and on machines that have no fonts.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { initWasm, Resvg } from "@resvg/resvg-wasm";
import { fontFamily } from "./figure.ts";

const require = createRequire(import.meta.url);
const fonts = [
  require.resolve("@expo-google-fonts/ibm-plex-sans/400Regular/IBMPlexSans_400Regular.ttf"),
  require.resolve("@expo-google-fonts/ibm-plex-sans/600SemiBold/IBMPlexSans_600SemiBold.ttf"),
  // For Chinese words.
  require.resolve("@expo-google-fonts/zcool-xiaowei/400Regular/ZCOOLXiaoWei_400Regular.ttf"),
];

let ready: Promise<Uint8Array[]> | undefined;

/** Draws an SVG document with two pixels for each of its units. */
export async function toPng(svg: string): Promise<Uint8Array> {
  ready ??= load();
  const renderer = new Resvg(svg, {
    font: { fontBuffers: await ready, defaultFontFamily: fontFamily, sansSerifFamily: fontFamily },
    fitTo: { mode: "zoom", value: 2 },
  });
  try {
    return renderer.render().asPng();
  } finally {
    renderer.free();
  }
}

async function load(): Promise<Uint8Array[]> {
  await initWasm(await readFile(require.resolve("@resvg/resvg-wasm/index_bg.wasm")));
  return Promise.all(fonts.map((file) => readFile(file)));
}
