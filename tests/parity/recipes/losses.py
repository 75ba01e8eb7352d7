"""Criteria: each with its options and reductions, as `Class(options)` applied to its inputs."""

import torch
import torch.nn as nn

from .case import Family, const, snake

REDUCTIONS = ("mean", "sum", "none")


def criterion(name):
    """PyTorch's class of the same name, called with Gradloom's spelling of the options."""
    def call(*inputs, **options):
        named = {snake(key): value for key, value in options.items()}
        index = [t.long() if t.dtype == torch.int32 else t for t in inputs]
        return getattr(nn, name)(**named)(*index)

    return call


def regression(family):
    options = {"MSELoss": [{}], "L1Loss": [{}], "SmoothL1Loss": [{}, {"beta": 0.4}],
               "HuberLoss": [{}, {"delta": 0.7}]}
    for name, variants in options.items():
        for variant in variants:
            for reduction in REDUCTIONS:
                draw = family.draw(name)
                family.add(name, draw.normal(4, 3, scale=1.5), draw.normal(4, 3), torch_fn=criterion(name),
                           reduction=reduction, **variant)
        draw = family.draw(name)
        # PyTorch 1.13 reads memory that nobody wrote in the second gradient of L1Loss.
        family.add(name, draw.normal(5), const(draw.normal(5)), torch_fn=criterion(name), second=name != "L1Loss")
        family.add(name, draw.normal(5, dtype=torch.float64), const(draw.normal(5, dtype=torch.float64)),
                   torch_fn=criterion(name))
    family.add("L1Loss", torch.tensor([1.0, 2.0]), const(torch.tensor([1.0, 1.0])), torch_fn=criterion("L1Loss"),
               note="gradient at 0")


def classification(family):
    weight = torch.tensor([0.5, 2.0, 1.0, 0.25])
    variants = [{}, {"weight": weight}, {"ignoreIndex": 1}, {"labelSmoothing": 0.1},
                {"weight": weight, "labelSmoothing": 0.2, "ignoreIndex": 2}]
    name = "CrossEntropyLoss"
    for variant in variants:
        for reduction in REDUCTIONS:
            draw = family.draw(name)
            target = draw.integers(6, low=0, high=4)
            target[0], target[1] = 1, 2
            options = {k: const(v.clone()) if k == "weight" else v for k, v in variant.items()}
            family.add(name, draw.normal(6, 4, scale=2), target, torch_fn=criterion(name), reduction=reduction, **options)
    draw = family.draw(name)
    family.add(name, draw.normal(6, 4), draw.integers(6, low=0, high=4), torch_fn=criterion(name), second=True)
    family.add(name, draw.normal(2, 4, 3), draw.integers(2, 3, low=0, high=4), torch_fn=criterion(name), note="pixels")
    family.add(name, draw.normal(2, 3, 2, 2), draw.integers(2, 2, 2, low=0, high=3), torch_fn=criterion(name),
               note="images", reduction="none")
    family.add(name, draw.normal(4), draw.integers(low=0, high=4), torch_fn=criterion(name), note="one sample")
    soft = draw.normal(3, 4).softmax(-1)
    family.add(name, draw.normal(3, 4), const(soft), torch_fn=criterion(name), note="class probabilities")
    family.add(name, draw.normal(3, 4), const(soft.clone()), torch_fn=criterion(name), labelSmoothing=0.1,
               note="class probabilities")
    family.add(name, torch.tensor([[1000.0, 0.0, -1000.0]]), torch.tensor([1], dtype=torch.int32),
               torch_fn=criterion(name), note="large logits")
    family.add(name, draw.normal(64, 10, scale=3), draw.integers(64, low=0, high=10), torch_fn=criterion(name))
    for reduction in REDUCTIONS:
        for options in ({}, {"weight": const(weight.clone())}, {"ignoreIndex": 0}):
            draw = family.draw("NLLLoss")
            family.add("NLLLoss", draw.normal(5, 4), draw.integers(5, low=0, high=4), torch_fn=criterion("NLLLoss"),
                       reduction=reduction, **options)


def binary(family):
    for reduction in REDUCTIONS:
        draw = family.draw("BCELoss")
        family.add("BCELoss", draw.uniform(4, 2, low=0.05, high=0.95), const(draw.uniform(4, 2)),
                   torch_fn=criterion("BCELoss"), reduction=reduction)
        draw = family.draw("BCEWithLogitsLoss")
        name = "BCEWithLogitsLoss"
        family.add(name, draw.normal(4, 2, scale=3), const(draw.uniform(4, 2)), torch_fn=criterion(name), reduction=reduction)
        family.add(name, draw.normal(4, 2), const(draw.uniform(4, 2)), torch_fn=criterion(name), reduction=reduction,
                   posWeight=const(torch.tensor([2.0, 0.5])))
    extreme = torch.tensor([-100.0, -30.0, 30.0, 100.0])
    family.add("BCEWithLogitsLoss", extreme, const(torch.tensor([0.0, 1.0, 1.0, 0.0])),
               torch_fn=criterion("BCEWithLogitsLoss"), note="large logits")
    for reduction in (*REDUCTIONS, "batchmean"):
        draw = family.draw("KLDivLoss")
        family.add("KLDivLoss", draw.normal(3, 4).log_softmax(-1), const(draw.normal(3, 4).softmax(-1)),
                   torch_fn=criterion("KLDivLoss"), reduction=reduction)
        family.add("KLDivLoss", draw.normal(3, 4).log_softmax(-1), const(draw.normal(3, 4).log_softmax(-1)),
                   torch_fn=criterion("KLDivLoss"), reduction=reduction, logTarget=True)


def embedding(family):
    for reduction in REDUCTIONS:
        draw = family.draw("CosineEmbeddingLoss")
        sides = torch.tensor([1, -1, 1, -1], dtype=torch.int32)
        name = "CosineEmbeddingLoss"
        family.add(name, draw.normal(4, 3), draw.normal(4, 3), sides, torch_fn=criterion(name), reduction=reduction)
        family.add(name, draw.normal(4, 3), draw.normal(4, 3), sides.clone(), torch_fn=criterion(name),
                   reduction=reduction, margin=0.3)
        draw = family.draw("TripletMarginLoss")
        name = "TripletMarginLoss"
        for options in ({}, {"margin": 2.0, "p": 1}, {"swap": True}):
            triple = [draw.normal(4, 3) for _ in range(3)]
            family.add(name, *triple, torch_fn=criterion(name), reduction=reduction, **options)


def segmentation(family):
    """Not in PyTorch: the formulas of their papers, in PyTorch's operations."""
    def reduced(losses, reduction):
        return losses if reduction == "none" else getattr(losses, reduction)()

    def dice(logits, target, smooth=1, reduction="mean"):
        p = logits.softmax(1)
        y = torch.nn.functional.one_hot(target.long(), logits.shape[1]).movedim(-1, 1).to(p.dtype)
        dims = [i for i in range(p.dim()) if i != 1]
        overlap = (2 * (p * y).sum(dims) + smooth) / (p.sum(dims) + y.sum(dims) + smooth)
        return reduced(1 - overlap, reduction)

    def focal(logits, target, gamma=2, alpha=1, reduction="mean"):
        log_p = logits.log_softmax(1).gather(1, target.long().unsqueeze(1)).squeeze(1)
        weight = alpha[target.long()] if isinstance(alpha, torch.Tensor) else alpha
        return reduced(-weight * (1 - log_p.exp()) ** gamma * log_p, reduction)

    for reduction in REDUCTIONS:
        draw = family.draw("DiceLoss")
        family.add("DiceLoss", draw.normal(2, 3, 2, 2), draw.integers(2, 2, 2, low=0, high=3), torch_fn=dice, reduction=reduction)
        draw = family.draw("FocalLoss")
        family.add("FocalLoss", draw.normal(5, 4), draw.integers(5, low=0, high=4), torch_fn=focal, reduction=reduction)
        family.add("FocalLoss", draw.normal(2, 3, 4), draw.integers(2, 4, low=0, high=3), torch_fn=focal, gamma=1.5,
                   alpha=const(torch.tensor([0.25, 1.0, 2.0])), reduction=reduction)
    family.add("DiceLoss", draw.normal(4, 3), draw.integers(4, low=0, high=3), torch_fn=dice, smooth=0.1)
    family.add("FocalLoss", draw.normal(4, 3), draw.integers(4, low=0, high=3), torch_fn=focal, gamma=0)


def families():
    family = Family("losses")
    regression(family)
    classification(family)
    binary(family)
    embedding(family)
    segmentation(family)
    return [family]
