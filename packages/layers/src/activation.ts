import { ArgumentError, type Tensor } from "@gradloom/tensor";

/** The activations that models take by name. */
export type ActivationName =
  | "identity"
  | "relu"
  | "leakyRelu"
  | "elu"
  | "gelu"
  | "silu"
  | "sigmoid"
  | "tanh"
  | "softplus"
  | "hardswish"
  | "mish";

/**
 * An activation by its name, or any function of a tensor: `(x) => x.gelu({ approximate: "tanh" })`.
 */
export type Activation = ActivationName | ((x: Tensor) => Tensor);

const functions: Readonly<Record<ActivationName, (x: Tensor) => Tensor>> = {
  identity: (x) => x,
  relu: (x) => x.relu(),
  leakyRelu: (x) => x.leakyRelu(),
  elu: (x) => x.elu(),
  gelu: (x) => x.gelu(),
  silu: (x) => x.silu(),
  sigmoid: (x) => x.sigmoid(),
  tanh: (x) => x.tanh(),
  softplus: (x) => x.softplus(),
  hardswish: (x) => x.hardswish(),
  mish: (x) => x.mish(),
};

/**
 * The function that an activation stands for.
 *
 * @param op - Who asks, for the message.
 * @throws ArgumentError if there is no activation of this name.
 */
export function activationFunction(op: string, activation: Activation): (x: Tensor) => Tensor {
  if (typeof activation === "function") return activation;
  if (!Object.hasOwn(functions, activation)) {
    const names = Object.keys(functions).join(", ");
    throw new ArgumentError(
      `${op}: activation must be a function or one of ${names}, got ${activation}.`,
      { op },
    );
  }
  return functions[activation];
}

/** How an activation prints. */
export function nameOf(activation: Activation): string {
  return typeof activation === "string" ? activation : activation.name || "a function";
}
