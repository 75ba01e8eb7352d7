"""Mixtures of experts, one expert after the other and one token after the other: what grouping them must not change."""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from .case import Draw, numbers, spec
from .gpt import LM
from .transformer import causal


class Expert(nn.Module):
    def __init__(self, inputs, hidden, outputs, activation):
        super().__init__()
        self.up, self.down, self.activation = nn.Linear(inputs, hidden), nn.Linear(hidden, outputs), activation

    def forward(self, x):
        return self.down(self.activation(self.up(x)))


class MoE(nn.Module):
    """The papers' formulas; `kept` says token by token whose choices an expert still has room for."""

    def __init__(self, inputs, hidden, experts, top_k, outputs=None, normalize=True, capacity=None, shared=0,
                 activation=F.gelu, balance_weight=0.01, z_weight=0.001):
        super().__init__()
        outputs = outputs or inputs
        self.top_k, self.normalize, self.capacity = top_k, normalize, capacity
        self.balance_weight, self.z_weight = balance_weight, z_weight
        self.gate = nn.Linear(inputs, experts, bias=False)
        self.experts = nn.ModuleList(Expert(inputs, hidden, outputs, activation) for _ in range(experts))
        self.shared = Expert(inputs, shared * hidden, outputs, activation) if shared else None

    def kept(self, chosen):
        """First choices of all tokens come before second ones."""
        kept, load = torch.ones_like(chosen, dtype=torch.bool), [0] * len(self.experts)
        limit = math.inf if self.capacity is None else math.ceil(self.capacity * chosen.numel() / len(self.experts))
        for choice in range(self.top_k):
            for token, expert in enumerate(chosen[:, choice].tolist()):
                kept[token, choice] = load[expert] < limit
                load[expert] += 1
        return kept

    def forward(self, x):
        tokens = x.reshape(-1, x.shape[-1])
        logits = self.gate(tokens)
        probabilities = logits.softmax(-1)
        weights, chosen = probabilities.topk(self.top_k, -1)
        if self.normalize:
            weights = weights / weights.sum(-1, keepdim=True)
        kept = self.kept(chosen)
        rows = []
        for token, row in enumerate(tokens):
            y = 0 if self.shared is None else self.shared(row)
            for choice in range(self.top_k):
                if kept[token, choice]:
                    y = y + weights[token, choice] * self.experts[chosen[token, choice]](row)
            rows.append(y if isinstance(y, torch.Tensor) else torch.zeros(self.experts[0].down.out_features))
        load = torch.bincount(chosen.flatten(), minlength=len(self.experts))
        balance = len(self.experts) * (load / load.sum() * probabilities.mean(0)).sum()
        z = logits.logsumexp(-1).square().mean()
        self.aux_loss = self.balance_weight * balance + self.z_weight * z
        self.routing = {"weights": weights.reshape(*x.shape[:-1], -1), "indices": chosen.reshape(*x.shape[:-1], -1),
                        "load": load, "dropped": (~kept).sum(), "balanceLoss": balance, "zLoss": z}
        return torch.stack(rows).reshape(*x.shape[:-1], -1)


def stacked(model, value, names=lambda name: name):
    """Parameters (or what `value` makes of them) under Gradloom's names: experts in one tensor, weights the other way round."""
    result = {}
    for path, module in model.named_modules():
        prefix = f"{path}." if path else ""
        if isinstance(module, MoE):
            def one(part):
                return torch.stack([value(part(expert)).t() if part(expert).dim() > 1 else value(part(expert))
                                    for expert in module.experts])
            result[f"{prefix}router.gate.weight"] = value(module.gate.weight)
            result[f"{prefix}experts.up_weight"] = one(lambda e: e.up.weight)
            result[f"{prefix}experts.up_bias"] = one(lambda e: e.up.bias)
            result[f"{prefix}experts.down_weight"] = one(lambda e: e.down.weight)
            result[f"{prefix}experts.down_bias"] = one(lambda e: e.down.bias)
        elif ".experts." not in f".{path}." and not path.endswith("gate"):
            for name, parameter in module.named_parameters(recurse=False):
                result[prefix + name] = value(parameter)
    return {names(name): spec(tensor) for name, tensor in result.items()}


def gradient(parameter):
    """An expert without tokens has none: zeros."""
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad


class Mixtures:
    name = "moe"

    def __init__(self):
        self.cases = []

    def add(self, note, options, model, x, scale=0.5):
        """Of a mixture by itself: its result and its `auxLoss`, both with gradients, and its routing."""
        draw = Draw(f"moe/{note}")
        for parameter in model.parameters():
            parameter.data.copy_(draw.normal(*parameter.shape, scale=scale))
        state = stacked(model, lambda p: p.detach())
        x = x.requires_grad_()
        y = model(x)
        outputs = [y, model.aux_loss]
        upstream = [draw.normal(*t.shape) for t in outputs]
        sum((o * u).sum() for o, u in zip(outputs, upstream)).backward()
        self.cases.append({
            "op": "MoE", "note": note, "args": [options], "state": state, "input": {**spec(x), "grad": True},
            "outputs": [{**spec(o), "upstream": numbers(u)} for o, u in zip(outputs, upstream)],
            "routing": {key: spec(t) for key, t in model.routing.items()},
            "grad": spec(x.grad), "stateGrads": stacked(model, gradient),
        })


class Models:
    """Whole models whose feed-forwards are mixtures."""

    name = "moe-models"

    def __init__(self):
        self.cases = []

    def add(self, op, note, args, moe, model, run, inputs, names):
        draw = Draw(f"moe-models/{note}")
        for parameter in model.parameters():
            parameter.data.copy_(draw.normal(*parameter.shape, scale=0.4))
        state = stacked(model, lambda p: p.detach(), names)
        y = run(*inputs)
        aux = sum(m.aux_loss for m in model.modules() if isinstance(m, MoE))
        outputs = [y, aux]
        upstream = [draw.normal(*t.shape) for t in outputs]
        sum((o * u).sum() for o, u in zip(outputs, upstream)).backward()
        self.cases.append({
            "op": op, "note": note, "args": args, "moe": moe, "state": state,
            "inputs": [{**spec(t), **({"grad": True} if t.requires_grad else {})} for t in inputs],
            "outputs": [{**spec(o), "upstream": numbers(u)} for o, u in zip(outputs, upstream)],
            "grads": [spec(t.grad) if t.requires_grad else None for t in inputs],
            "stateGrads": stacked(model, gradient, names),
        })


def mixtures(family):
    draw = Draw("moe")
    sizes = {"inputDim": 4, "hiddenDim": 5}

    def add(note, experts, top_k, x=None, more=None, **options):
        model = MoE(4, 5, experts, top_k, **options)
        family.add(note, {**sizes, "numExperts": experts, "topK": top_k, **(more or {})}, model,
                   draw.normal(7, 4) if x is None else x)

    add("top 2 of 4", 4, 2)
    add("top 1 of 3", 3, 1)
    add("top 1, weighed by its probability", 3, 1, more={"normalize": False}, normalize=False)
    add("top 2, weighed by their probabilities", 4, 2, more={"normalize": False}, normalize=False)
    add("all experts", 3, 3)
    add("a single expert", 1, 1)
    add("batch and time", 4, 2, draw.normal(2, 3, 4))
    add("one token", 4, 2, draw.normal(4))
    add("other features come out", 4, 2, more={"outputDim": 3}, outputs=3)
    add("shared experts", 4, 2, more={"sharedExperts": 2}, shared=2)
    add("relu", 4, 2, more={"activation": "relu"}, activation=F.relu)
    add("losses that count", 4, 2, more={"balanceWeight": 2, "zWeight": 0.5}, balance_weight=2, z_weight=0.5)
    add("experts without tokens", 9, 1, draw.normal(3, 4))
    add("capacity of an even share", 4, 2, draw.normal(2, 8, 4), more={"capacityFactor": 1}, capacity=1)
    add("capacity of less than a token each", 6, 1, draw.normal(9, 4), more={"capacityFactor": 0.5}, capacity=0.5)
    add("capacity that is enough", 4, 2, more={"capacityFactor": 4}, capacity=4)
    add("capacity, shared, other features", 4, 2, draw.normal(10, 4), capacity=0.75, shared=1, outputs=3, normalize=False,
        more={"capacityFactor": 0.75, "sharedExperts": 1, "outputDim": 3, "normalize": False})


def gpt(family):
    """A GPT as nanoGPT lays it out, whose blocks have mixtures."""
    draw = Draw("moe/gpt")
    model = LM(9, 5, 8, 2, 2, lambda i, o: nn.Linear(i, o), True, "none", False)
    for block in model.transformer.h:
        block.mlp = MoE(8, 6, 4, 2)
    places = [("transformer.", ""), ("h.", "blocks."), ("ln_1", "ln1"), ("ln_2", "ln2"), ("c_attn", "qkv"), ("c_proj", "proj"),
              ("mlp.", "ffn."), ("ln_f", "ln_f")]

    def names(name):
        for theirs, ours in places:
            name = name.replace(theirs, ours)
        return name

    model.lm_head = nn.Identity()

    def run(ids):
        return model.transformer(ids) @ model.transformer.wte.weight.t()

    args = [{"vocabSize": 9, "maxSeqLen": 5, "dModel": 8, "numHeads": 2, "numLayers": 2}]
    ids = draw.integers(2, 5, low=0, high=9, dtype=torch.int64)
    family.add("GPT", "GPT of mixtures", args, {"hiddenDim": 6, "numExperts": 4, "topK": 2}, model, run, [ids], names)


def layers(family):
    draw = Draw("moe/layers")
    for op, make in (("EncoderLayer", nn.TransformerEncoderLayer), ("DecoderLayer", nn.TransformerDecoderLayer)):
        for norm_first in (False, True):
            model = make(6, 2, 4, dropout=0, norm_first=norm_first, batch_first=True)
            moe = MoE(6, 5, 3, 2)
            model.linear1, model.linear2, model.activation = moe, nn.Identity(), nn.Identity()
            # PyTorch's fast path would pass these by.
            model.train()
            inputs = [draw.normal(2, 3, 6).requires_grad_() for _ in range(1 if op == "EncoderLayer" else 2)]

            def run(*given):
                return model(*given) if op == "EncoderLayer" else model(*given, tgt_mask=causal(3))

            args = [6, 2, 4, {"dropout": 0, "normFirst": norm_first}]
            family.add(op, f"{op} of a mixture, {'norm first' if norm_first else 'norm last'}", args,
                       {"hiddenDim": 5, "numExperts": 3, "topK": 2}, model, run, inputs,
                       lambda name: name.replace("linear1.", "feed_forward."))


def families():
    both = [Mixtures(), Models()]
    mixtures(both[0])
    gpt(both[1])
    layers(both[1])
    return both
