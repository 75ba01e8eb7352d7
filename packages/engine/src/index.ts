export {
  type FloatFunction,
  floatFunctions,
  floorDivide,
  integerFloorDivide,
  integerModulo,
  integerPower,
  isFloatFunction,
  modulo,
  power,
} from "./arithmetic.ts";
export type { Backend, BufferSpec, Executable, Program } from "./backend.ts";
export { Box } from "./box.ts";
export { commonDigits } from "./digits.ts";
export {
  byteSize,
  createArray,
  type DType,
  extremes,
  isFloat,
  type TypedArray,
  viewArray,
} from "./dtype.ts";
export {
  type ElementOp,
  elementArity,
  elementCost,
  elementOps,
  type ReduceOp,
} from "./element-op.ts";
export { Engine, type EngineStats } from "./engine.ts";
export { erf } from "./erf.ts";
export {
  ArgumentError,
  argumentError,
  BackendError,
  DTypeError,
  dtypeError,
  type ErrorDetails,
  GradloomError,
  IndexError,
  ShapeError,
  StateError,
  shapeError,
  show,
  stateError,
} from "./errors.ts";
export {
  affine,
  broadcastShapes,
  cat,
  check,
  constant,
  element,
  entryOf,
  expand,
  gather,
  groupedMatmul,
  iota,
  matmul,
  operationName,
  pad,
  permute,
  reduce,
  reshape,
  scalar,
  scan,
  scatter,
  slice,
  sort,
} from "./graph.ts";
export type {
  Access,
  Affine,
  CheckInstruction,
  ConstantInstruction,
  ElementInstruction,
  Guard,
  IndexInstruction,
  Instruction,
  Kernel,
  LoadInstruction,
  LoopKernel,
  MatmulKernel,
  MatrixOperand,
  ProductGroups,
  ProductInstruction,
  RepeatKernel,
  Result,
  ResultInstruction,
  ScalarInstruction,
  ScanInstruction,
  ScatterKernel,
  Slot,
  SortKernel,
  Stage,
  Store,
  Window,
} from "./kernel.ts";
export { stagesOf, windowIn, withAffines } from "./kernel.ts";
export { isView, Node, type NodeOp, nextNodeId } from "./node.ts";
export { positionIn } from "./open-stage.ts";
export { philox } from "./philox.ts";
export type { Plan, PlanOptions } from "./plan.ts";
export type { Recording } from "./recording.ts";
export { positionOf, remember } from "./remember.ts";
export { type Repeated, repeat } from "./repeat.ts";
export type { KernelReport, PlanReport } from "./report.ts";
export { copyGraph, reached } from "./search.ts";
export { resized, rowMajor, sameShape, sizeOf, spliced } from "./shape.ts";
export { blockBytes, Space, wholeLines } from "./space.ts";
