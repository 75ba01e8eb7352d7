"""Layers: built with the same arguments, loaded with the same weights, run and differentiated."""

import torch
import torch.nn as nn

from .case import Draw, numbers, spec


class Modules:
    """The cases of the layers."""

    name = "modules"

    def __init__(self):
        self.cases = []

    def add(self, name, args, module, *inputs, training=True, note=None):
        """`args` build the layer in Gradloom; `module` is PyTorch's."""
        draw = Draw(f"modules/{name}/{len(self.cases)}")
        module.train(training)
        for tensor in module.state_dict().values():
            tensor.copy_(draw.normal(*tensor.shape, scale=0.5))
        inputs = [t.requires_grad_() if t.dtype.is_floating_point else t for t in inputs]
        output = module(*inputs)
        upstream = draw.normal(*output.shape)
        (output * upstream).sum().backward()
        case = {
            "op": name, "args": args, "training": training,
            "state": {key: spec(t) for key, t in module.state_dict().items()},
            "inputs": [{**spec(t), **({"grad": True} if t.requires_grad else {})} for t in inputs],
            "output": {**spec(output), "upstream": numbers(upstream)},
            "grads": [spec(t.grad) for t in inputs if t.requires_grad],
            "stateGrads": {key: spec(p.grad) for key, p in module.named_parameters()},
        }
        if note is not None:
            case["note"] = note
        self.cases.append(case)


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.eps) * self.weight


class MLP(nn.Module):
    def __init__(self, *sizes, activation=nn.ReLU):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes, sizes[1:]))
        self.activation = activation()

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = self.activation(layer(x))
        return self.layers[-1](x)


class FeedForward(nn.Module):
    def __init__(self, size, hidden, activation, bias=True):
        super().__init__()
        self.up = nn.Linear(size, hidden, bias)
        self.down = nn.Linear(hidden, size, bias)
        self.activation = activation()

    def forward(self, x):
        return self.down(self.activation(self.up(x)))


def composed(family):
    draw = Draw("composed modules")
    family.add("MLP", [3, [8, 5], 2], MLP(3, 8, 5, 2), draw.normal(6, 3))
    family.add("MLP", [3, [], 2], MLP(3, 2), draw.normal(2, 3))
    family.add("MLP", [1, [16, 16], 1, {"activation": "tanh"}], MLP(1, 16, 16, 1, activation=nn.Tanh), draw.normal(9, 1))
    family.add("FeedForward", [4, 8], FeedForward(4, 8, nn.ReLU), draw.normal(2, 3, 4))
    family.add("FeedForward", [4, 6, {"activation": "gelu", "bias": False}], FeedForward(4, 6, nn.GELU, False),
               draw.normal(2, 3, 4))


def layers(family):
    draw = Draw("modules")
    family.add("Linear", [4, 3], nn.Linear(4, 3), draw.normal(2, 4))
    family.add("Linear", [4, 3, {"bias": False}], nn.Linear(4, 3, bias=False), draw.normal(2, 5, 4))
    family.add("Linear", [1, 64], nn.Linear(1, 64), draw.normal(16, 1))
    family.add("LayerNorm", [5], nn.LayerNorm(5), draw.normal(3, 5))
    family.add("LayerNorm", [[3, 4], {"eps": 0.01}], nn.LayerNorm([3, 4], eps=0.01), draw.normal(2, 3, 4))
    family.add("RMSNorm", [6, {"eps": 1e-5}], RMSNorm(6, 1e-5), draw.normal(3, 6))
    family.add("Flatten", [], nn.Flatten(), draw.normal(2, 3, 4))
    family.add("Identity", [], nn.Identity(), draw.normal(2, 3))
    family.add("Dropout", [0.4], nn.Dropout(0.4), draw.normal(2, 3), training=False, note="in evaluation")
    activations = {"ReLU": nn.ReLU, "Sigmoid": nn.Sigmoid, "Tanh": nn.Tanh, "SiLU": nn.SiLU, "GELU": nn.GELU,
                   "Softplus": nn.Softplus, "Hardswish": nn.Hardswish, "Mish": nn.Mish, "ELU": nn.ELU,
                   "LeakyReLU": nn.LeakyReLU}
    for name, make in activations.items():
        family.add(name, [], make(), draw.normal(3, 4, scale=2))
    family.add("GELU", [{"approximate": "tanh"}], nn.GELU(approximate="tanh"), draw.normal(3, 4))
    family.add("Softmax", [-1], nn.Softmax(-1), draw.normal(3, 4))
    family.add("LogSoftmax", [1], nn.LogSoftmax(1), draw.normal(3, 4))


def families():
    family = Modules()
    layers(family)
    composed(family)
    return [family]
