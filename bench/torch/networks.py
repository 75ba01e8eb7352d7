"""Whole networks: what src/networks.ts is for Gradloom."""

import pathlib
import sys

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests" / "parity"))
from recipes.convolutional import CNN, UNet  # noqa: E402


def step(model, x, classes, shape):
    y = (torch.arange(torch.Size(shape).numel()) * 7 % classes).reshape(shape)
    adam = torch.optim.Adam(model.parameters(), 1e-3)

    def run():
        adam.zero_grad()
        F.cross_entropy(model(x), y).backward()
        adam.step()

    return run, {}


def forward(call):
    def run():
        with torch.no_grad():
            call()

    return run, {}


def unet(part):
    model, x = UNet(3, 2, 64, 4), torch.randn(1, 3, 128, 128)
    if part == "step":
        return step(model, x, 2, [1, 128, 128])
    model.eval()
    return forward(lambda: model(x))


def lstm(part, time=64):
    model, x = nn.LSTM(128, 256, batch_first=True), torch.randn(32, time, 128)
    if part == "forward":
        return forward(lambda: model(x))
    upstream = torch.randn(32, 64, 256)
    return lambda: torch.autograd.grad(model(x)[0], list(model.parameters()), upstream), {}


def generation():
    embedding, model, head = nn.Embedding(96, 64), nn.LSTM(64, 512, batch_first=True), nn.Linear(512, 96)

    def run():
        with torch.no_grad():
            token, state = torch.tensor([[1]]), None
            for _ in range(100):
                y, state = model(embedding(token), state)
                token = torch.multinomial(F.softmax(head(y[:, -1]), -1), 1)
                token.item()

    return run, {}


def transformer(part):
    """The paper's base model: stacks of 6 + 6 layers."""
    model = nn.Transformer(512, 8, 6, 6, 2048, dropout=0.0, batch_first=True)
    src, tgt, mask = torch.randn(4, 64, 512), torch.randn(4, 64, 512), torch.ones(64, 64).triu(1).bool()
    if part == "forward":
        model.eval()
        return forward(lambda: model(src, tgt, tgt_mask=mask))
    parameters = list(model.parameters())
    return lambda: torch.autograd.grad(model(src, tgt, tgt_mask=mask).square().mean(), parameters), {}


class MoE(nn.Module):
    """Tokens are grouped by expert, so each expert sees its own alone."""

    def __init__(self, size=512, hidden=2048, experts=8, top_k=2):
        super().__init__()
        self.top_k, self.gate = top_k, nn.Linear(size, experts, bias=False)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(size, hidden), nn.GELU(approximate="tanh"), nn.Linear(hidden, size)) for _ in range(experts)
        )

    def forward(self, x):
        weights, chosen = self.gate(x).topk(self.top_k, -1)
        weights, y = weights.softmax(-1), torch.zeros_like(x)
        for i, expert in enumerate(self.experts):
            token, choice = (chosen == i).nonzero(as_tuple=True)
            y = y.index_add(0, token, expert(x[token]) * weights[token, choice, None])
        return y


def moe(part, top_k=2):
    model = MoE(top_k=top_k)
    x = torch.randn(1024, 512, requires_grad=part == "gradients")
    if part == "forward":
        return forward(lambda: model(x))

    def run():
        model.zero_grad()
        x.grad = None
        model(x).square().mean().backward()

    return run, {}


WORKLOADS = {
    "moe-forward": lambda: moe("forward"),
    "moe-gradients": lambda: moe("gradients"),
    "moe-forward-all": lambda: moe("forward", 8),
    "moe-gradients-all": lambda: moe("gradients", 8),
    "convnet": lambda: step(CNN([1, 16, 32], 64, 10, 7), torch.randn(64, 1, 28, 28), 10, [64]),
    "unet-forward": lambda: unet("forward"),
    "unet-step": lambda: unet("step"),
    "lstm-forward": lambda: lstm("forward"),
    "lstm-gradients": lambda: lstm("gradients"),
    "lstm-1000": lambda: lstm("forward", 1000),
    "lstm-generation": generation,
    "transformer-forward": lambda: transformer("forward"),
    "transformer-gradients": lambda: transformer("gradients"),
}
