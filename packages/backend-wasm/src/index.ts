// wasm-backend.ts
export { isSupported, WasmBackend, type WasmBackendOptions } from "./wasm-backend.ts";
