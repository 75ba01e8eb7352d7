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


WORKLOADS = {
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
