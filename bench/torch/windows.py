"""Convolutions, attention and embeddings: what src/windows.ts is for Gradloom."""

import torch
import torch.nn.functional as F


def convolution(part, groups=1, stride=1, size=56, taps=3):
    x = torch.randn(8, 64, size, size)
    weight = torch.randn(64, 64 // groups, taps, taps)
    padding = taps // 2
    upstream = torch.randn_like(F.conv2d(x, weight, None, stride, padding, 1, groups))

    def run():
        with torch.no_grad():
            if part in ("forward", "gradients"):
                F.conv2d(x, weight, None, stride, padding, 1, groups)
            if part == "forward":
                return
            mask = [part != "weight", part != "input", False]
            torch.ops.aten.convolution_backward(
                upstream, x, weight, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups, mask)

    return run, {}


def pool(call, gradient):
    x = torch.randn(8, 64, 112, 112, requires_grad=gradient)
    upstream = torch.randn(8, 64, 56, 56)

    def run():
        with torch.set_grad_enabled(gradient):
            y = call(x, 3, stride=2, padding=1)
            if gradient:
                torch.autograd.grad(y, x, upstream)

    return run, {}


def attention(length, causal):
    q, k, v = (torch.randn(1, 8, length, 64, requires_grad=True) for _ in range(3))
    upstream = torch.randn(1, 8, length, 64)
    future = ~torch.ones(length, length, dtype=torch.bool).tril()

    def run():
        scores = q @ k.transpose(-2, -1) * 64 ** -0.5
        if causal:
            scores = scores.masked_fill(future, -torch.inf)
        torch.autograd.grad(scores.softmax(-1) @ v, [q, k, v], upstream)

    return run, {}


def look_up(part):
    weight = torch.randn(20_000, 256, requires_grad=True)
    ids = (torch.arange(32 * 256) * 7919 % 20_000).reshape(32, 256)
    upstream = torch.randn(32, 256, 256)

    def run():
        if part == "forward":
            with torch.no_grad():
                F.embedding(ids, weight)
        else:
            torch.autograd.grad(F.embedding(ids, weight), weight, upstream)

    return run, {}


WORKLOADS = {
    "conv2d-forward": lambda: convolution("forward"),
    "conv2d-input": lambda: convolution("input"),
    "conv2d-weight": lambda: convolution("weight"),
    "conv2d-gradients": lambda: convolution("gradients"),
    "conv2d-strided": lambda: convolution("forward", 1, 2),
    "conv2d-strided-gradients": lambda: convolution("gradients", 1, 2),
    "conv2d-depthwise": lambda: convolution("forward", 64),
    "conv2d-depthwise-gradients": lambda: convolution("gradients", 64),
    "depthwise-28-5": lambda: convolution("forward", 64, 1, 28, 5),
    "depthwise-28-5-gradients": lambda: convolution("gradients", 64, 1, 28, 5),
    "depthwise-14-7": lambda: convolution("forward", 64, 1, 14, 7),
    "depthwise-14-7-gradients": lambda: convolution("gradients", 64, 1, 14, 7),
    "pool-max": lambda: pool(F.max_pool2d, False),
    "pool-max-gradients": lambda: pool(F.max_pool2d, True),
    "pool-mean-gradients": lambda: pool(F.avg_pool2d, True),
    **{f"attention-{n}": lambda n=n: attention(n, False) for n in (512, 1024, 2048, 4096)},
    "attention-2048-causal": lambda: attention(2048, True),
    "embedding-forward": lambda: look_up("forward"),
    "embedding-weight": lambda: look_up("weight"),
}
