"""Schedules: the learning rates, and momentum where it is cycled, of two groups over 50 steps."""

import math

import torch
from torch.optim import lr_scheduler

from .case import Draw, snake

STEPS = 50
RATES = [0.1, 0.02]

# Name, positional arguments, options.
VARIANTS = [
    ("StepLR", [7], {}), ("StepLR", [10], {"gamma": 0.5}), ("StepLR", [1], {"gamma": 0.9}),
    ("MultiStepLR", [[5, 20, 30]], {}), ("MultiStepLR", [[3, 3, 17]], {"gamma": 0.6}),
    ("ExponentialLR", [0.95], {}), ("ExponentialLR", [1.02], {}),
    ("CosineAnnealingLR", [50], {}), ("CosineAnnealingLR", [12], {"etaMin": 0.001}), ("CosineAnnealingLR", [1], {}),
    ("LinearLR", [], {}), ("LinearLR", [], {"startFactor": 0.1, "totalIters": 20}),
    ("LinearLR", [], {"startFactor": 1.0, "endFactor": 0.25, "totalIters": 30}),
    ("OneCycleLR", [0.3], {"totalSteps": 50}), ("OneCycleLR", [[0.3, 0.1]], {"epochs": 5, "stepsPerEpoch": 10}),
    ("OneCycleLR", [0.3], {"totalSteps": 60, "annealStrategy": "linear", "pctStart": 0.4, "divFactor": 10.0}),
    ("OneCycleLR", [0.3], {"totalSteps": 50, "threePhase": True, "finalDivFactor": 100.0}),
    ("OneCycleLR", [0.3], {"totalSteps": 55, "baseMomentum": [0.7, 0.8], "maxMomentum": 0.9}),
    ("OneCycleLR", [0.3], {"totalSteps": 50, "cycleMomentum": False}),
    ("ReduceLROnPlateau", [], {}), ("ReduceLROnPlateau", [], {"factor": 0.5, "patience": 2, "cooldown": 3}),
    ("ReduceLROnPlateau", [], {"mode": "max", "factor": 0.3, "patience": 1, "thresholdMode": "abs", "threshold": 0.1}),
    ("ReduceLROnPlateau", [], {"patience": 0, "factor": 0.7, "minLr": [0.01, 0.005]}),
    ("ReduceLROnPlateau", [], {"mode": "max", "patience": 3, "eps": 1e-3, "thresholdMode": "rel"}),
    ("WarmupCosineLR", [10, 50], {}), ("WarmupCosineLR", [5, 40], {"etaMin": 0.003}), ("WarmupCosineLR", [0, 20], {}),
]

SEQUENCES = [
    ([("LinearLR", [], {"startFactor": 0.1, "totalIters": 10}), ("CosineAnnealingLR", [40], {})], [10]),
    ([("ExponentialLR", [0.9], {}), ("StepLR", [5], {}), ("MultiStepLR", [[2, 9]], {"gamma": 0.5})], [12, 30]),
]


def warmup_cosine(optimizer, warmup_steps, total_steps, eta_min=0.0):
    """`get_cosine_schedule_with_warmup` of Hugging Face's transformers, with a least rate."""
    base = [group["lr"] for group in optimizer.param_groups]

    def share(t):
        if t < warmup_steps:
            return t / warmup_steps
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (t - warmup_steps) / (total_steps - warmup_steps))))

    def rate(lr, t):
        return lr * share(t) if t < warmup_steps else eta_min + (lr - eta_min) * share(t)

    return lr_scheduler.LambdaLR(optimizer, [lambda t, lr=lr: rate(lr, t) / lr for lr in base])


def build(name, optimizer, args, options):
    named = {snake(key): value for key, value in options.items()}
    if name == "WarmupCosineLR":
        return warmup_cosine(optimizer, *args, **named)
    return getattr(lr_scheduler, name)(optimizer, *args, **named)


class Schedules:
    name = "schedules"

    def __init__(self):
        self.cases = []
        for name, args, options in VARIANTS:
            for kind in ("SGD", "Adam") if name == "OneCycleLR" else ("SGD",):
                self.add(name, kind, lambda o: build(name, o, args, options), {"args": args, "options": options})
        for parts, milestones in SEQUENCES:
            self.add("SequentialLR", "SGD", lambda o: lr_scheduler.SequentialLR(
                o, [build(name, o, args, options) for name, args, options in parts], milestones),
                {"parts": parts, "milestones": milestones})
        # Two at once multiply.
        both = [("StepLR", [6], {"gamma": 0.5}), ("ExponentialLR", [0.97], {})]
        self.add("chained", "SGD", lambda o: [build(name, o, args, options) for name, args, options in both],
                 {"parts": both})

    def add(self, name, kind, make, call):
        draw = Draw(f"schedules/{name}/{len(self.cases)}")
        parameters = [torch.zeros(1, requires_grad=True) for _ in RATES]
        groups = [{"params": [p], "lr": lr} for p, lr in zip(parameters, RATES)]
        options = {"momentum": 0.5} if kind == "SGD" else {}
        optimizer = getattr(torch.optim, kind)(groups, lr=1.0, **options)
        case = {"op": name, "optimizer": kind, "rates": RATES, **call, "lrs": [], "momenta": []}
        if name == "ReduceLROnPlateau":  # a noisy way that stalls
            noise = draw.normal(STEPS, scale=0.1).double().tolist()
            sign = -1 if call["options"].get("mode") == "max" else 1
            case["metrics"] = [round(sign * (2 * 0.9 ** t + 0.5 + e), 3) for t, e in enumerate(noise)]
        schedules = make(optimizer)
        schedules = schedules if isinstance(schedules, list) else [schedules]
        for t in range(STEPS):
            case["lrs"].append([float(group["lr"]) for group in optimizer.param_groups])
            case["momenta"].append([group["momentum"] if kind == "SGD" else group["betas"][0]
                                    for group in optimizer.param_groups])
            optimizer.step()
            for schedule in schedules:
                schedule.step(*([case["metrics"][t]] if "metrics" in case else []))
        self.cases.append(case)


def families():
    return [Schedules()]
