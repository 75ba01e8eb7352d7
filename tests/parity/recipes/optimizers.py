"""Optimizers: parameters after some steps with given gradients; ten steps of training a small MLP."""

import copy

import torch
import torch.nn as nn

from .case import Draw, number, snake, spec
from .written_out import Lion, Muon

STEPS = 20
SHOWN = (1, 2, 3, 10, 20)
SAVED = 10

VARIANTS = {
    "SGD": [
        {"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}, {"lr": 0.05, "momentum": 0.9, "nesterov": True},
        {"lr": 0.1, "momentum": 0.8, "dampening": 0.3}, {"lr": 0.1, "weightDecay": 0.05},
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weightDecay": 0.01},
    ],
    "Adam": [
        {}, {"lr": 0.01}, {"lr": 0.05, "betas": [0.8, 0.95]}, {"lr": 0.01, "eps": 1e-3},
        {"lr": 0.01, "weightDecay": 0.1}, {"lr": 0.02, "amsgrad": True},
        {"lr": 0.02, "amsgrad": True, "weightDecay": 0.05},
    ],
    "AdamW": [{}, {"lr": 0.01}, {"lr": 0.01, "weightDecay": 0.3}, {"lr": 0.02, "amsgrad": True},
              {"lr": 0.02, "weightDecay": 0}],
    "RMSprop": [
        {}, {"lr": 0.05, "alpha": 0.9}, {"lr": 0.02, "eps": 0.1}, {"lr": 0.02, "momentum": 0.9},
        {"lr": 0.02, "alpha": 0.95, "centered": True}, {"lr": 0.02, "weightDecay": 0.1, "maximize": True},
        {"lr": 0.01, "alpha": 0.9, "centered": True, "momentum": 0.8, "weightDecay": 0.05},
    ],
    "Adagrad": [
        {}, {"lr": 0.1}, {"lr": 0.1, "lrDecay": 0.2}, {"lr": 0.1, "initialAccumulatorValue": 0.5},
        {"lr": 0.1, "weightDecay": 0.1, "eps": 1e-2}, {"lr": 0.05, "maximize": True, "lrDecay": 0.01},
    ],
    "Lion": [
        {}, {"lr": 0.01}, {"lr": 0.01, "betas": [0.8, 0.95]}, {"lr": 0.02, "weightDecay": 0.2},
        {"lr": 0.01, "maximize": True},
    ],
    "Muon": [
        {}, {"lr": 0.02, "weightDecay": 0}, {"lr": 0.02, "momentum": 0.8, "nesterov": False},
        {"lr": 0.05, "adjustLrFn": "match_rms_adamw"}, {"lr": 0.02, "nsSteps": 3, "maximize": True},
        {"lr": 0.02, "nsCoefficients": [2.0, -1.5, 0.5], "betas": [0.8, 0.9]}, {"lr": 0.02, "useMuon": False},
    ],
}

# What this PyTorch lacks, after the papers.
WRITTEN_OUT = {"Lion": Lion, "Muon": Muon}


def build(name, groups, options):
    named = {snake(key): value for key, value in options.items()}
    return (WRITTEN_OUT.get(name) or getattr(torch.optim, name))(groups, **named)


class Steps:
    """What each optimizer does to two parameters whose gradients are given, step by step; its state on the way."""

    name = "optimizers"

    def __init__(self):
        self.cases = []
        self.saved = []
        for name, variants in VARIANTS.items():
            for options in variants:
                self.add(name, options)
            self.add(name, {"lr": 0.1}, groups=[{"lr": 0.01}, {"weightDecay": 0.2}, {}, {"lr": 0.03}])

    def add(self, name, options, groups=None):
        draw = Draw(f"optimizers/{name}/{len(self.cases)}")
        parameters = [draw.normal(2, 3).requires_grad_(), draw.normal(4).requires_grad_()]
        if name == "Muon":  # taller than wide, and of more than two axes
            parameters += [draw.normal(5, 2).requires_grad_(), draw.normal(3, 2, 2, 1).requires_grad_()]
        # Sizes differ from step to step, so that amsgrad and plain Adam part ways.
        gradients = [[draw.normal(*p.shape, scale=3.0 / (1 + step)) for p in parameters] for step in range(STEPS)]
        case = {"op": name, "options": options, "parameters": [spec(p) for p in parameters],
                "gradients": [[spec(g) for g in step] for step in gradients], "after": {}}
        if groups is None:
            optimizer = build(name, parameters, options)
        else:
            groups = case["groups"] = groups[:len(parameters)]
            named = [{snake(key): value for key, value in group.items()} for group in groups]
            optimizer = build(name, [{"params": [p], **g} for p, g in zip(parameters, named)], options)
        for step in range(STEPS):
            for p, g in zip(parameters, gradients[step]):
                p.grad = g.clone()
            optimizer.step()
            if step + 1 in SHOWN:
                case["after"][str(step + 1)] = [spec(p) for p in parameters]
            if step + 1 == SAVED:
                # What is written out here keeps its state in its own way.
                self.saved.append(None if name in WRITTEN_OUT else copy.deepcopy(optimizer.state_dict()))
        self.cases.append(case)


class Clipping:
    """Gradients of two parameters before and after they are clipped together."""

    name = "clipping"

    def __init__(self):
        self.cases = []
        for limit, norm_type in ((1.0, 2.0), (100.0, 2.0), (1.5, 1.0), (0.5, float("inf"))):
            self.add("clipGradNorm", limit, norm_type)
        self.add("clipGradValue", 0.7)

    def add(self, op, limit, norm_type=None):
        draw = Draw(f"clipping/{len(self.cases)}")
        parameters = [draw.normal(2, 3).requires_grad_(), draw.normal(4).requires_grad_()]
        for p in parameters:
            p.grad = draw.normal(*p.shape)
        case = {"op": op, "limit": limit, "before": [spec(p.grad) for p in parameters]}
        if op == "clipGradNorm":
            case["normType"] = number(norm_type)
            case["norm"] = spec(nn.utils.clip_grad_norm_(parameters, limit, norm_type))
        else:
            nn.utils.clip_grad_value_(parameters, limit)
        case["after"] = [spec(p.grad) for p in parameters]
        self.cases.append(case)


class Training:
    """Ten steps of an MLP, each with every optimizer: all losses, the first and the last weights."""

    name = "training"

    def __init__(self):
        self.cases = []
        draw = Draw("training")
        x = draw.normal(16, 4)
        targets = {"mse": draw.normal(16, 3), "crossEntropy": draw.integers(16, low=0, high=3)}
        for loss, target in targets.items():
            for name, options in (("SGD", {"lr": 0.1, "momentum": 0.9}), ("Adam", {"lr": 0.01}),
                                  ("AdamW", {"lr": 0.01, "weightDecay": 0.1})):
                self.add(loss, name, options, x, target)

    def add(self, loss, name, options, x, target):
        draw = Draw("training weights")
        net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3))
        for tensor in net.state_dict().values():
            tensor.copy_(draw.normal(*tensor.shape, scale=0.5))
        criterion = nn.MSELoss() if loss == "mse" else nn.CrossEntropyLoss()
        optimizer = build(name, net.parameters(), options)
        labels = target.long() if loss == "crossEntropy" else target
        case = {"op": f"{loss} with {name}", "loss": loss, "optimizer": name, "options": options, "x": spec(x),
                "target": spec(target), "before": {k: spec(t) for k, t in net.state_dict().items()}, "losses": []}
        for _ in range(10):
            optimizer.zero_grad()
            value = criterion(net(x), labels)
            value.backward()
            optimizer.step()
            case["losses"].append(float(value.detach().double()))
        case["after"] = {k: spec(t) for k, t in net.state_dict().items()}
        self.cases.append(case)


def families():
    return [Steps(), Clipping(), Training()]
