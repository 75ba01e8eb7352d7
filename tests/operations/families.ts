/** The operations of `@gradloom/tensor`, in the order of the document. One that does not exist fails its test. */
export const families: Readonly<Record<string, string>> = {
  Creation: "tensor fromTypedArray zeros ones full empty arange linspace eye zerosLike onesLike",
  "Random numbers": "rand randn randnLike randint randperm bernoulli multinomial",
  Joining: "cat stack where einsum meshgrid oneHot",
  Arithmetic:
    "add sub mul div pow neg abs sign reciprocal sqrt rsqrt square exp expm1 log log1p log2 sin cos tan asin acos atan sinh cosh tanh erf floor ceil round trunc remainder minimum maximum clamp lerp",
  Comparison: "eq ne lt le gt ge logicalAnd logicalOr logicalNot isnan isinf isfinite allclose",
  Activations: "relu leakyRelu elu gelu silu sigmoid softplus hardswish mish softmax logSoftmax",
  Reductions:
    "sum mean prod max min amax amin argmax argmin var std norm any all logsumexp cumsum cumprod topk sort argsort",
  "Shape and indexing":
    "reshape view flatten unflatten squeeze unsqueeze transpose permute t expand repeat repeatInterleave flip roll slice narrow select split chunk unbind pad tril triu diagonal gather scatter scatterAdd indexSelect maskedFill take to clone",
  "Linear algebra": "matmul mm bmm dot outer groupedMatmul",
  Neural:
    "linear embedding dropout layerNorm rmsNorm batchNorm groupNorm conv1d conv2d convTranspose1d convTranspose2d maxPool1d maxPool2d avgPool2d adaptiveAvgPool2d adaptiveMaxPool2d unfold interpolate pixelShuffle scaledDotProductAttention",
};

/** All of them. */
export const operationNames: readonly string[] = Object.values(families).flatMap((names) =>
  names.split(" "),
);
