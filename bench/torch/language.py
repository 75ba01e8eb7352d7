"""Language models: what src/language.ts is for Gradloom."""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Block(nn.Module):
    def __init__(self, size, heads, bias):
        super().__init__()
        self.heads, self.ln1, self.ln2 = heads, nn.LayerNorm(size), nn.LayerNorm(size)
        self.qkv, self.proj = nn.Linear(size, 3 * size, bias), nn.Linear(size, size, bias)
        self.up, self.down = nn.Linear(size, 4 * size, bias), nn.Linear(4 * size, size, bias)

    def forward(self, x, mask, cache, start):
        batch, time, size = x.shape
        heads = (z.view(batch, time, self.heads, -1).transpose(1, 2) for z in self.qkv(self.ln1(x)).split(size, 2))
        q, k, v = heads
        if cache is not None:
            cache[0][:, :, start:start + time], cache[1][:, :, start:start + time] = k, v
            k, v = cache[0][:, :, :start + time], cache[1][:, :, :start + time]
        scores = q @ k.transpose(-2, -1) * (1 / math.sqrt(size // self.heads))
        if mask is not None:
            scores = scores.masked_fill(mask, float("-inf"))
        x = x + self.proj((scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, time, size))
        return x + self.down(F.gelu(self.up(self.ln2(x)), approximate="tanh"))


class GPT(nn.Module):
    def __init__(self, vocab, context, layers, heads, size, bias):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab, size), nn.Embedding(context, size)
        self.blocks = nn.ModuleList(Block(size, heads, bias) for _ in range(layers))
        self.ln = nn.LayerNorm(size)
        for module in self.modules():
            if isinstance(module, (nn.Linear, nn.Embedding)):
                nn.init.normal_(module.weight, 0, 0.02)
        self.register_buffer("mask", torch.ones(context, context).triu(1).bool(), persistent=False)

    def forward(self, ids, caches=None, start=0, last=False):
        time = ids.shape[1]
        x = self.wte(ids) + self.wpe(torch.arange(start, start + time))
        mask = self.mask[start:start + time, :start + time] if time > 1 else None
        for i, block in enumerate(self.blocks):
            x = block(x, mask, caches[i] if caches else None, start)
        return F.linear(self.ln(x[:, -1:] if last else x), self.wte.weight)


def ids(batch, time, vocab):
    return (torch.arange(batch * time) * 7919 % vocab).reshape(batch, time)


def prompt():
    model, x = GPT(50257, 1024, 12, 12, 768, True).eval(), ids(1, 256, 50257)

    def run():
        with torch.no_grad():
            model(x, last=True)

    return run, {}


def decode():
    model, x = GPT(50257, 1024, 12, 12, 768, True).eval(), ids(1, 256, 50257)
    caches = [(torch.empty(1, 12, 300, 64), torch.empty(1, 12, 300, 64)) for _ in model.blocks]
    state = {"at": 256}
    with torch.no_grad():
        model(x, caches, 0, True)
    state["token"] = torch.zeros(1, 1, dtype=torch.long)

    def run():
        if state["at"] == 288:
            state["at"] = 256
        with torch.no_grad():
            logits = model(torch.tensor([[int(state["token"])]]), caches, state["at"], True)
            state["token"] = logits.argmax(-1)
            state["at"] += 1

    return run, {}


def step(model, batch, time, vocab):
    x, y = ids(batch, time, vocab), ids(1, batch * time, vocab).flatten()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3, betas=(0.9, 0.99), weight_decay=0.1)

    def run():
        optimizer.zero_grad()
        F.cross_entropy(model(x).flatten(0, 1), y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return run, {}


def read():
    weights = torch.ones(124_439_808)
    return weights.sum, {}


WORKLOADS = {
    "gpt2-prompt": prompt,
    "gpt2-decode": decode,
    "gpt2-read": read,
    "gpt2-step": lambda: step(GPT(50257, 1024, 12, 12, 768, True), 1, 256, 50257),
    "nanogpt-step": lambda: step(GPT(65, 64, 4, 4, 128, False), 12, 64, 65),
}
