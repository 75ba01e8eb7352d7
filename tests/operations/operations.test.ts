import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { operationsDocument } from "./document.ts";
import { compareWithPyTorch } from "./errors-against-pytorch.ts";

const path = join(import.meta.dirname, "../../docs/operations.md");

test("docs/operations.md says what the operations do", async () => {
  const before = existsSync(path) ? readFileSync(path, "utf8") : "";
  const document = operationsDocument(compareWithPyTorch(), before);
  // An empty cell is one that nobody gave a reason for.
  expect(document).not.toMatch(/\| *\|/);
  await expect(document).toMatchFileSnapshot(path);
}, 120_000);
