export { JsBackend } from "./js-backend.ts";
