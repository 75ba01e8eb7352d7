import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import { packageNames } from "./packages.ts";

/**
 * Limits in bytes, after minification and gzip, with everything that the package brings along. The goal for
 * `tensor` is 60 KB and not reached: 66 KB was the engine with element operations and products, the rest came with convolutions
 * (Winograd's algorithm alone is 4.0 KB, short loops of depthwise convolutions and pools 2.5 KB), indices, sorting, loops, attention,
 * groups of products, transforms, leaving out what nobody reads (1.4 KB), and products on 256 bits (0.5 KB, twice the speed). It may only get smaller.
 */
const limits: Readonly<Record<string, number>> = { tensor: 104_783 };

async function bundledSize(name: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: `export * from "@gradloom/${name}";`, resolveDir: import.meta.dirname },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    write: false,
    logLevel: "silent",
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).byteLength;
}

test.each(packageNames)("%s bundles for a browser within its limit", async (name) => {
  const size = await bundledSize(name);
  const limit = limits[name];
  const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} KB`;
  const bound = limit === undefined ? "" : `, limit ${kilobytes(limit)}`;
  console.log(`@gradloom/${name} with its dependencies: ${kilobytes(size)} gzipped${bound}`);
  expect(size).toBeLessThanOrEqual(limit ?? Number.POSITIVE_INFINITY);
});
