import { mergeConfig } from "vitest/config";
import { project } from "../vitest.shared.ts";

export default mergeConfig(project("tests"), { test: { globalSetup: "./build-packages.ts" } });
