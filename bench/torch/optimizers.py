"""Optimizers alone: what src/optimizers.ts is for Gradloom."""

import torch


def shapes():
    yield from [[50257, 768], [1024, 768], [768], [768]]
    for _ in range(12):
        yield from [[768], [768], [2304, 768], [2304], [768, 768], [768]]
        yield from [[768], [768], [3072, 768], [3072], [768, 3072], [768]]


def adam(foreach):
    parameters = [torch.nn.Parameter(torch.zeros(shape)) for shape in shapes()]
    for parameter in parameters:
        parameter.grad = torch.ones_like(parameter)
    return torch.optim.Adam(parameters, 1e-3, foreach=foreach).step, {}


def copy():
    size = sum(torch.Size(shape).numel() for shape in shapes())
    source, target = torch.ones(size), torch.zeros(size)
    return lambda: torch.neg(source, out=target), {}


WORKLOADS = {
    "adam-step": lambda: adam(True),
    "adam-single": lambda: adam(False),
    "adam-copy": copy,
}
