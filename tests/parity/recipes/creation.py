"""Tensors without inputs: what is counted, not drawn."""

import torch

from .case import Family


def families():
    family = Family("creation")

    def arange(start, end, step=1):
        return torch.arange(start, end, step)

    def floats(start, end, step=1):
        return torch.arange(start, end, step, dtype=torch.float32)

    family.add("arange", 0, 5, torch_fn=arange, gradient=False)
    family.add("arange", 2, 11, torch_fn=arange, step=3)
    family.add("arange", 5, 0, torch_fn=arange, step=-2)
    family.add("arange", 0, 1, torch_fn=floats, step=0.25)
    family.add("linspace", 0, 1, 5, torch_fn=torch.linspace)
    family.add("linspace", -3, 3, 7, torch_fn=torch.linspace)
    family.add("linspace", 2, 2, 1, torch_fn=torch.linspace)
    family.add("eye", 3, torch_fn=torch.eye)
    family.add("eye", 2, torch_fn=torch.eye, m=4)
    family.add("zeros", [2, 3], torch_fn=torch.zeros)
    family.add("ones", [2, 3], torch_fn=torch.ones)
    family.add("full", [2, 2], 2.5, torch_fn=torch.full)
    labels = torch.tensor([0, 2, 1], dtype=torch.int32)
    family.add("oneHot", labels, 4, torch_fn=lambda x, n: torch.nn.functional.one_hot(x.long(), n))
    vectors = [family.draw("meshgrid").normal(3), family.draw("meshgrid").normal(2)]
    family.add("meshgrid", vectors, torch_fn=lambda tensors: torch.meshgrid(*tensors, indexing="ij"))
    return [family]
