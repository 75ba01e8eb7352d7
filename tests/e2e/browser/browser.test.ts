// Gradloom in a real browser, built and served by Vite as a user's page is.
import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { build, type PreviewServer, preview } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryFolder } from "../../packaging/packages.ts";
import type {} from "./page.ts";
import { type Outcome, train } from "./training.ts";

/** Where Chromium is on Debian, Ubuntu and macOS; or where the variable says. */
const executablePath =
  [
    process.env.CHROMIUM ?? "",
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  ].find(existsSync) ?? "";

/** Without these a page may not share memory, and has one thread. */
const isolation = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};
const withoutWasm = {
  "Content-Security-Policy": "script-src 'self' 'unsafe-inline'; worker-src 'self' blob:",
};

if (executablePath === "") {
  console.log(
    "No Chromium was found, so the page is not tested. The variable CHROMIUM can name it.",
  );
}

describe.skipIf(executablePath === "")("a page", { timeout: 120_000 }, () => {
  const folder = temporaryFolder("page");
  const servers: PreviewServer[] = [];
  let browser: Browser;

  beforeAll(async () => {
    await build({
      root: import.meta.dirname,
      configFile: false,
      logLevel: "warn",
      build: { outDir: folder.path, emptyOutDir: true },
    });
    const args = ["--no-sandbox", "--disable-quic", "--disable-background-networking"];
    browser = await chromium.launch({ executablePath, args });
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    for (const server of servers) await server.close();
    folder.remove();
  });

  /** Opens the page, served with these headers; errors in it fail the test. */
  async function open(headers: Record<string, string>): Promise<Page & { problems: string[] }> {
    const server = await preview({
      root: import.meta.dirname,
      configFile: false,
      logLevel: "warn",
      build: { outDir: folder.path },
      preview: { headers, port: 0, host: "127.0.0.1" },
    });
    servers.push(server);
    const problems: string[] = [];
    const page = await browser.newPage();
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(server.resolvedUrls?.local[0] ?? "");
    await page.waitForFunction(() => globalThis.gradloom !== undefined);
    return Object.assign(page, { problems });
  }

  const trained = (page: Page, threads: number): Promise<Outcome> =>
    page.evaluate((count) => gradloom.train(count), threads);

  /** Chromium fuses multiply and add, Node 20 does not: training drifts apart by what rounding gives. */
  function expectClose(a: Outcome, b: Outcome): void {
    expect(a.losses[0] / b.losses[0]).toBeCloseTo(1, 2);
    a.prediction.forEach((value, i) => {
      expect(Math.abs(value - b.prediction[i])).toBeLessThan(0.1);
    });
  }

  test("that is isolated trains on several threads, with the bits of one", async () => {
    const page = await open(isolation);
    expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(true);
    const one = await trained(page, 1);
    expect(page.workers()).toHaveLength(0);
    // A worker starts once the page has come to rest, and joins the next run.
    expect(await trained(page, 2)).toEqual(one);
    await expect.poll(() => page.workers().length, { timeout: 20_000 }).toBe(1);
    expect(await trained(page, 2)).toEqual(one);
    // One that was not needed for a while has not missed what was compiled meanwhile.
    expect(await trained(page, 1)).toEqual(one);
    const sum = (threads: number) =>
      page.evaluate(async (count) => {
        const { tensor } = gradloom;
        tensor.manualSeed(1);
        tensor.setNumThreads(count);
        return await tensor
          .randn([300, 500])
          .matmul(tensor.randn([500, 200]))
          .exp()
          .mean()
          .item();
      }, threads);
    expect(await sum(2)).toBe(await sum(1));
    expect(one.losses.at(-1)).toBeLessThan(0.01);
    expectClose(one, await train(1));
    expect(page.problems).toEqual([]);
  });

  test("that is not isolated trains on one thread, with the same bits", async () => {
    const isolated = await trained(await open(isolation), 1);
    const page = await open({});
    expect(await page.evaluate(() => globalThis.crossOriginIsolated)).toBe(false);
    expect(await trained(page, 2)).toEqual(isolated);
    expect(page.workers()).toHaveLength(0);
    expect(page.problems).toEqual([]);
  });

  test("loads every package", async () => {
    const page = await open({});
    const names = await page.evaluate(() => gradloom.packages);
    for (const count of names) expect(count).toBeGreaterThan(0);
    expect(page.problems).toEqual([]);
  });

  test("reads values at once and later, and convolves", async () => {
    const page = await open(isolation);
    const sums = await page.evaluate(async () => {
      const { cnn, tensor } = gradloom;
      const conv = new cnn.Conv2d(2, 3, 3, { padding: 1 });
      const y = conv.forward(tensor.ones([1, 2, 8, 8])).sum();
      return [y.itemSync(), await y.item()];
    });
    expect(Number.isFinite(sums[0])).toBe(true);
    expect(sums[0]).toBe(sums[1]);
    expect(page.problems).toEqual([]);
  });

  test("whose policy forbids WebAssembly says what it needs, and can compute without it", async () => {
    const page = await open(withoutWasm);
    const message = await page.evaluate(() => {
      try {
        return String(gradloom.tensor.ones([2]).sum().itemSync());
      } catch (error) {
        return String(error);
      }
    });
    expect(message).toContain("BackendError");
    expect(message).toContain("wasm-unsafe-eval");
    const sum = await page.evaluate(() => {
      gradloom.tensor.setBackend("js");
      return gradloom.tensor.ones([2]).sum().itemSync();
    });
    expect(sum).toBe(2);
  });
});
