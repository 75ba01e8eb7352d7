/** What the benchmarks time, in the order of the tables. */
export interface WorkloadInfo {
  /** What `--only` takes. */
  readonly name: string;
  readonly title: string;
  /** The names that contestants know, with the title of each; one for most workloads. */
  readonly parts: Readonly<Record<string, string>>;
  /** Floating-point operations of each part, where that says something. */
  readonly flops?: (part: string) => number;
}

const single = (name: string, title: string): WorkloadInfo => ({
  name,
  title,
  parts: { [name]: title },
});

const layouts = { nn: "A·B", nt: "A·Bᵀ", tn: "Aᵀ·B", tt: "Aᵀ·Bᵀ" };

/** Workloads that every engine runs, timed round by round. */
export const workloads: readonly WorkloadInfo[] = [
  single("dnn", "1,000 training steps of MLP 1-64-64-1, batch 256, MSE, Adam"),
  single(
    "dnn-compiled",
    "the same steps through compile(step), recorded once and replayed; the peers' as before",
  ),
  single("mlp-step", "a training step of MLP 784-512-512-10, batch 128, cross-entropy, Adam"),
  {
    name: "shapes",
    title: "steps of sizes that were not there before",
    parts: {
      "shapes-batch": "a training step of the same MLP, batches of 64 to 370",
      "shapes-unrolled":
        "gradients of h = tanh(x[t]·U + h·W), a loop of 50 to 356 steps, batch 16, 32 features to 64",
    },
  },
  {
    name: "matmul",
    title: "matrix products of n × n",
    parts: Object.fromEntries(
      [256, 512, 1024].flatMap((n) =>
        Object.entries(layouts).map(([key, formula]) => [
          `matmul-${n}-${key}`,
          `n = ${n}, ${formula}`,
        ]),
      ),
    ),
    flops: (part) => 2 * Number(part.split("-")[1]) ** 3,
  },
  {
    name: "conv2d",
    title: "convolution of [8, 64, 56, 56] with 64 windows of 3 × 3",
    parts: {
      "conv2d-forward": "forward",
      "conv2d-input": "gradient of the input",
      "conv2d-weight": "gradient of the weight",
      "conv2d-gradients": "forward and both gradients",
      "conv2d-strided": "forward, stride 2",
      "conv2d-strided-gradients": "forward and both gradients, stride 2",
      "conv2d-depthwise": "forward, each channel by itself",
      "conv2d-depthwise-gradients": "forward and both gradients, each channel by itself",
    },
    flops: (part) => {
      const products = part.endsWith("gradients") ? 3 : 1;
      const channels = part.includes("depthwise") ? 1 : part.includes("strided") ? 16 : 64;
      return 2 * 8 * 64 * 56 * 56 * 9 * channels * products;
    },
  },
  {
    name: "depthwise",
    title: "convolution of [8, 64, n, n], each channel by itself",
    parts: {
      "depthwise-28-5": "n = 28, 5 × 5, forward",
      "depthwise-28-5-gradients": "n = 28, 5 × 5, forward and both gradients",
      "depthwise-14-7": "n = 14, 7 × 7, forward",
      "depthwise-14-7-gradients": "n = 14, 7 × 7, forward and both gradients",
    },
    flops: (part) => {
      const [, size, taps, gradients] = part.split("-");
      return 2 * 8 * 64 * Number(size) ** 2 * Number(taps) ** 2 * (gradients ? 3 : 1);
    },
  },
  {
    name: "pool",
    title: "pools of [8, 64, 112, 112], windows of 3 × 3, stride 2",
    parts: {
      "pool-max": "the largest, forward",
      "pool-max-gradients": "the largest, forward and gradient",
      "pool-mean-gradients": "the mean, forward and gradient",
    },
  },
  {
    name: "attention",
    title: "attention of 8 heads with 64 features, forward and backward",
    parts: {
      "attention-512": "512 positions",
      "attention-2048": "2,048 positions",
      "attention-2048-causal": "2,048 positions, causal",
    },
  },
  {
    name: "embedding",
    title: "8,192 rows of [20000, 256]",
    parts: { "embedding-forward": "forward", "embedding-weight": "forward and gradient" },
  },
  single(
    "convnet",
    "a training step of two convolutions (16, 32) and a classifier, 64 digits, Adam",
  ),
  {
    name: "moe",
    title: "Mixture of experts (512, top 2 of 8 experts of 2048, 1,024 tokens)",
    parts: {
      "moe-forward": "forward",
      "moe-gradients": "forward and gradients",
      "moe-forward-all": "forward, all 8 experts",
      "moe-gradients-all": "forward and gradients, all 8 experts",
    },
  },
  {
    name: "unet",
    title: "U-Net 64 … 1024 on [1, 3, 128, 128]",
    parts: { "unet-forward": "forward", "unet-step": "training step" },
  },
  {
    name: "lstm",
    title: "LSTM of 64 steps, batch 32, 128 features to 256",
    parts: {
      "lstm-forward": "forward",
      "lstm-gradients": "forward and gradients",
      "lstm-1000": "forward, 1,000 steps",
    },
  },
  single(
    "lstm-generation",
    "100 characters sampled one by one, LSTM with a hidden state of 512, 96 characters",
  ),
  {
    name: "gpt2",
    title: "GPT-2 with 124M random weights",
    parts: {
      "gpt2-prompt": "the logits behind a prompt of 256 tokens",
      "gpt2-decode": "a token behind 256 and more, greedy, with a cache",
      "gpt2-read": "as many floats as it has weights read once (a sum), for comparison",
      "gpt2-step": "training step of 1 × 256, AdamW, clipped",
    },
  },
  single("nanogpt-step", "a training step of a GPT, 4 layers, 4 heads, 128 features, 12 × 64 ids"),
  {
    name: "adam",
    title: "Adam on the 124M parameters of GPT-2, whose gradients exist",
    parts: {
      "adam-step": "a step (PyTorch: foreach)",
      "adam-single": "PyTorch's step without foreach",
      "adam-copy":
        "as many floats read and written once, for comparison: a step moves 3.5 times the bytes",
    },
  },
  {
    name: "transformer",
    title: "transformer of 6 + 6 layers, 512 features, 8 heads, 2,048 inside, [4, 64] to [4, 64]",
    parts: { "transformer-forward": "forward", "transformer-gradients": "forward and gradients" },
  },
  {
    name: "greedy",
    title: "the same with 1,000 words: 64 tokens for each of 4 sources of 64, greedy",
    parts: { "greedy-cached": "with a cache", "greedy-again": "reading all again for each token" },
  },
  single("softmax", "softmax of [1024, 1024]"),
  single("layer-norm", "layer norm of [4096, 768]"),
  single("gelu-erf", "gelu(1.5 x + 0.5) + x on 4M floats"),
  single("gelu-tanh", "the same with gelu's tanh approximation"),
];

/** Measured in their own ways. */
export const others: readonly string[] = ["memory", "peaks", "start-up", "size"];
