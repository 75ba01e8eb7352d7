export { checkProgram } from "./check.ts";
export { JsBackend } from "./js-backend.ts";
