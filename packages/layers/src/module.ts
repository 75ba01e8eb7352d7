import type { DType, Tensor } from "@gradloom/tensor";
import { checkOptions, StateError, watch } from "@gradloom/tensor";
import { convertModule } from "./convert.ts";
import { drawTree } from "./draw-tree.ts";
import { namedFields, type Part } from "./named-fields.ts";
import { Buffer, Parameter } from "./parameter.ts";
import { noteClass } from "./running.ts";
import { type LoadResult, loadInto } from "./state-dict.ts";
import { summarize } from "./summary.ts";

/** A module that maps one tensor to one tensor, as most layers do. */
export interface Layer extends Module {
  forward(x: Tensor): Tensor;
}

/**
 * What has parameters and a `forward`: a layer, a block, a whole model. A subclass keeps its parts
 * in fields; they are found by walking its own properties, so nothing has to be registered.
 *
 * - A field may hold a {@link Parameter}, a {@link Buffer}, a `Module`, a `ModuleList` or a
 *   `ModuleDict`. Several modules in a plain array or object are refused, because nobody would find
 *   them. A plain `Tensor`, a private `#field` and anything else is left alone.
 * - Keys are PyTorch's: the path of the fields in snake_case (`selfAttn.outProj.bias` is
 *   `self_attn.out_proj.bias`).
 * - The order is PyTorch's: the parameters of a module in the order of its fields, then those of
 *   its children.
 * - What is shared is listed once by `parameters()`, `buffers()` and `modules()`; in a state dict
 *   it stands under each of its keys.
 */
export abstract class Module {
  #training = true;

  constructor() {
    noteClass(this);
  }

  /** Whether layers such as `Dropout` behave as in training. Set it with `train()` and `eval()`. */
  get training(): boolean {
    return watch(() => this.#training);
  }

  set training(mode: boolean) {
    this.#training = mode;
  }

  /** What the module computes. A subclass declares its own inputs and result. */
  abstract forward(...inputs: never[]): unknown;

  /** The parts of this module by key. Containers list theirs in their own way. */
  namedParts(): [key: string, part: Part][] {
    return namedFields(this);
  }

  /** All parameters, each once. */
  parameters(): Parameter[] {
    return this.namedParameters().map(([, parameter]) => parameter);
  }

  /** All parameters with their keys, each once, under its first key. */
  namedParameters(): [key: string, parameter: Parameter][] {
    const named = distinct(everything(this)).filter(isNamedParameter);
    // So that an error can say which one it is about.
    for (const [key, parameter] of named) parameter.named(key);
    return named;
  }

  /** All buffers, each once. */
  buffers(): Buffer[] {
    return this.namedBuffers().map(([, buffer]) => buffer);
  }

  /** All buffers with their keys, each once, under its first key. */
  namedBuffers(): [key: string, buffer: Buffer][] {
    return distinct(everything(this)).filter(isNamedBuffer);
  }

  /** This module and all modules inside, each once, a module before its children. */
  modules(): Module[] {
    return this.namedModules().map(([, module]) => module);
  }

  /** The same with their keys; this module's is `""`. */
  namedModules(): [key: string, module: Module][] {
    return distinct(modulePaths(this));
  }

  /** The modules directly inside, each once. */
  children(): Module[] {
    return this.namedChildren().map(([, module]) => module);
  }

  /** The same with their keys. */
  namedChildren(): [key: string, module: Module][] {
    return distinct(this.namedParts().filter(isNamedModule));
  }

  /**
   * The parameters and persistent buffers by key, as they are now: later training does not change
   * what was taken. To write a model to a file, or to load it into another.
   */
  stateDict(): Record<string, Tensor> {
    const state = everything(this).filter(
      ([, part]) => part instanceof Parameter || part.persistent,
    );
    return Object.fromEntries(state.map(([key, part]) => [key, part.detach().clone()]));
  }

  /**
   * Takes the values of a state dict, converted to the dtypes of this module. All of it or nothing.
   *
   * @param options - `strict` (default true): every key of the module must be given, and no other.
   * @returns the keys that were missing and those that were not expected; empty if `strict`.
   * @throws StateError that lists all missing and unexpected keys and all shapes that differ.
   *   Shapes must agree also if not `strict`.
   */
  loadStateDict(
    dict: Readonly<Record<string, Tensor>>,
    options: { readonly strict?: boolean } = {},
  ): LoadResult {
    checkOptions("loadStateDict", options, { strict: true });
    const state = everything(this).filter(
      ([, part]) => part instanceof Parameter || part.persistent,
    );
    return loadInto(this.constructor.name, state, dict, options.strict ?? true);
  }

  /** Switches all modules to training, or with `false` to evaluation. */
  train(mode = true): this {
    for (const module of this.modules()) module.training = mode;
    return this;
  }

  /** Switches all modules to evaluation: no dropout, for example. */
  eval(): this {
    return this.train(false);
  }

  /** Says whether gradients are wanted for the parameters: `false` freezes the module. */
  requiresGrad_(requiresGrad = true): this {
    for (const parameter of this.parameters()) parameter.requiresGrad_(requiresGrad);
    return this;
  }

  /**
   * Converts all floating parameters and buffers. They are replaced by new ones: make the optimizer
   * afterwards.
   */
  to(dtype: DType): this {
    convertModule(this, dtype);
    return this;
  }

  /** Calls a function for each module, children first, this one last. */
  apply(fn: (module: Module) => void): this {
    for (const module of this.children()) module.apply(fn);
    fn(this);
    return this;
  }

  /** How many numbers the parameters hold together; what is shared counts once. */
  get numParameters(): number {
    return this.parameters().reduce((sum, parameter) => sum + parameter.numel, 0);
  }

  /**
   * A table of the modules inside with the shapes of their results and their numbers of parameters,
   * for an input of this shape (or several of such inputs). Only shapes are computed.
   *
   * @param inputShape - With the batch: `[1, 784]`. A list of shapes if `forward` takes several
   *   tensors.
   * @param options - `dtype` of the inputs, `'float32'` by default.
   * @throws DTypeError if `forward` takes another one.
   */
  summary(
    inputShape: readonly number[] | readonly (readonly number[])[],
    options: { readonly dtype?: DType } = {},
  ): string {
    checkOptions("summary", options, { dtype: true });
    return summarize(this, inputShape, options.dtype ?? "float32");
  }

  /** What stands between the parentheses when this module prints itself: its sizes and options. */
  describe(): string {
    return "";
  }

  /** The tree of modules, as PyTorch prints it. */
  toString(): string {
    return drawTree(this);
  }

  static {
    // Where Node's util.inspect looks, and so console.log. Declarations cannot name this key.
    Object.defineProperty(Module.prototype, Symbol.for("nodejs.util.inspect.custom"), {
      value(this: Module): string {
        return drawTree(this);
      },
    });
  }
}

/**
 * Every module inside by path, a module before its children; a shared one under each of its paths.
 */
function modulePaths(root: Module): [string, Module][] {
  const found: [string, Module][] = [];
  const above = new Set<Module>();
  const visit = (path: string, module: Module): void => {
    if (above.has(module)) {
      throw new StateError(
        `${root.constructor.name}: a module must not contain itself, got ${module.constructor.name} ` +
          `inside itself at ${path}. Keep a reference to a parent in a private #field.`,
      );
    }
    found.push([path, module]);
    above.add(module);
    for (const [key, part] of module.namedParts()) {
      if (part instanceof Module) visit(join(path, key), part);
    }
    above.delete(module);
  };
  visit("", root);
  return found;
}

/**
 * Every parameter and buffer by key; per module its parameters, then its buffers, then its
 * children's.
 */
function everything(root: Module): [string, Parameter | Buffer][] {
  const found: [string, Parameter | Buffer][] = [];
  for (const [path, module] of modulePaths(root)) {
    const parts = module.namedParts().map(([key, part]): [string, Part] => [join(path, key), part]);
    found.push(...parts.filter(isNamedParameter), ...parts.filter(isNamedBuffer));
  }
  return found;
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function distinct<T>(pairs: [string, T][]): [string, T][] {
  const seen = new Set<T>();
  return pairs.filter(([, value]) => !seen.has(value) && seen.add(value));
}

function isNamedParameter(pair: [string, Part]): pair is [string, Parameter] {
  return pair[1] instanceof Parameter;
}

function isNamedBuffer(pair: [string, Part]): pair is [string, Buffer] {
  return pair[1] instanceof Buffer;
}

function isNamedModule(pair: [string, Part]): pair is [string, Module] {
  return pair[1] instanceof Module;
}
