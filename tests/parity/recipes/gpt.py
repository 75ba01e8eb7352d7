"""Small models laid out as GPT-2 is published (`Conv1D`, buffers of masks) and as nanoGPT saves it: logits, loss, gradients, steps."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from .case import Draw, spec


class Conv1D(nn.Module):
    """A linear map as GPT-2 stores it: the weight is [in, out]."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(inputs, outputs)), nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class LayerNorm(nn.Module):
    def __init__(self, size, bias):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.bias = nn.Parameter(torch.zeros(size)) if bias else None

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, 1e-5)


class Attention(nn.Module):
    def __init__(self, size, heads, context, linear, buffers):
        super().__init__()
        self.heads, self.c_attn, self.c_proj = heads, linear(size, 3 * size), linear(size, size)
        if buffers:
            self.register_buffer("bias", torch.ones(context, context).tril().view(1, 1, context, context))
            self.register_buffer("masked_bias", torch.tensor(-1e4))

    def forward(self, x):
        batch, time, size = x.shape
        q, k, v = (z.view(batch, time, self.heads, -1).transpose(1, 2) for z in self.c_attn(x).split(size, 2))
        scores = q @ k.transpose(-2, -1) / (size // self.heads) ** 0.5
        scores = scores.masked_fill(torch.ones(time, time).triu(1).bool(), float("-inf"))
        return self.c_proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, time, size))


class MLP(nn.Module):
    def __init__(self, size, linear, gelu):
        super().__init__()
        self.c_fc, self.c_proj, self.gelu = linear(size, 4 * size), linear(4 * size, size), gelu

    def forward(self, x):
        return self.c_proj(F.gelu(self.c_fc(x), approximate=self.gelu))


class Block(nn.Module):
    def __init__(self, size, heads, context, linear, bias, gelu, buffers):
        super().__init__()
        self.ln_1, self.attn = LayerNorm(size, bias), Attention(size, heads, context, linear, buffers)
        self.ln_2, self.mlp = LayerNorm(size, bias), MLP(size, linear, gelu)

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class Transformer(nn.Module):
    def __init__(self, vocab, context, size, heads, layers, linear, bias, gelu, buffers):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab, size), nn.Embedding(context, size)
        self.h = nn.ModuleList(Block(size, heads, context, linear, bias, gelu, buffers) for _ in range(layers))
        self.ln_f = LayerNorm(size, bias)

    def forward(self, ids):
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1]))
        for block in self.h:
            x = block(x)
        return self.ln_f(x)


class LM(nn.Module):
    """With `transformer.` in front of all names, and the embedding of tokens as its head."""

    def __init__(self, *args):
        super().__init__()
        self.transformer = Transformer(*args)
        self.lm_head = nn.Linear(args[2], args[0], bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def forward(self, ids):
        return self.lm_head(self.transformer(ids))


def case(family, note, model, options, bare=False):
    draw = Draw(f"gpt/{note}")
    for parameter in model.parameters():
        parameter.data.copy_(draw.normal(*parameter.shape, scale=0.3))
    vocab, context = options.pop("vocab"), options.pop("context")
    ids, targets = (draw.integers(2, context, low=0, high=vocab, dtype=torch.int64) for _ in range(2))

    def named(values):
        """By published names; a model without its head has them without `transformer.`, and no head."""
        pairs = ((name.replace("transformer.", "") if bare else name, value) for name, value in values)
        return {name: spec(value) for name, value in pairs if not (bare and name == "lm_head.weight")}

    before = named(model.state_dict().items())
    logits = model(ids)
    decayed = [p for p in model.parameters() if p.dim() >= 2]
    others = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    # The gradient of a bias of keys is 0 but for rounding, which a smaller eps would turn into steps.
    optimizer = torch.optim.AdamW(groups, lr=0.01, betas=(0.9, 0.95), eps=1e-4)
    losses, norms, grads = [], [], None
    for _ in range(3):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(ids).flatten(0, 1), targets.flatten())
        loss.backward()
        losses.append(loss.item())
        grads = grads or named((name, p.grad.clone()) for name, p in model.named_parameters())
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), 0.5).item())
        optimizer.step()
    family.cases.append({
        "op": "GPT", "note": note, "options": options, "ids": spec(ids), "targets": spec(targets), "before": before,
        "logits": spec(logits), "grads": grads, "losses": losses, "norms": norms, "after": named(model.state_dict().items()),
    })


class GPT:
    name = "gpt"

    def __init__(self):
        self.cases = []


def families():
    family = GPT()

    def plain(inputs, outputs):
        return nn.Linear(inputs, outputs, bias=False)

    case(family, "GPT-2 as published", LM(11, 6, 8, 2, 2, Conv1D, True, "tanh", True),
         {"vocab": 11, "context": 6, "numHeads": 2})
    case(family, "GPT-2 without prefix and head", LM(7, 5, 12, 3, 1, Conv1D, True, "tanh", False),
         {"vocab": 7, "context": 5, "numHeads": 3}, bare=True)
    case(family, "nanoGPT without biases", LM(9, 4, 8, 4, 1, plain, False, "none", False),
         {"vocab": 9, "context": 4, "numHeads": 4, "activation": "gelu"})
    return [family]
