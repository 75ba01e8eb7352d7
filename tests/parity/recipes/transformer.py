"""Transformers: with the same weights, outputs, attention weights, and gradients of all inputs and parameters."""

import torch
import torch.nn as nn

from .case import Draw, numbers, spec


class Transformers:
    """The cases of attention, of the layers and of whole stacks."""

    name = "transformer"

    def __init__(self):
        self.cases = []

    def add(self, name, args, module, run, inputs, masks=None, options=None, note=None):
        """`args` build it in Gradloom, `inputs` get gradients, `masks` and `options` are the options of `forward`."""
        draw = Draw(f"transformer/{name}/{len(self.cases)}")
        for tensor in module.state_dict().values():
            tensor.copy_(draw.normal(*tensor.shape, scale=0.4))
        masks = masks or {}
        inputs = [t.requires_grad_() for t in inputs]
        outputs = run(module, *inputs, **masks)
        outputs = [t for t in (outputs if isinstance(outputs, tuple) else (outputs,)) if t is not None]
        upstream = [draw.normal(*t.shape) for t in outputs]
        sum((o * u).sum() for o, u in zip(outputs, upstream)).backward()
        self.cases.append({
            "op": name, "args": args, "options": options or {},
            **({"note": note} if note else {}),
            "state": {key: spec(t) for key, t in module.state_dict().items()},
            "inputs": [{**spec(t), "grad": True} for t in inputs],
            "masks": {key: spec(t) for key, t in masks.items()},
            "outputs": [{**spec(o), "upstream": numbers(u)} for o, u in zip(outputs, upstream)],
            "grads": [spec(t.grad) for t in inputs],
            "stateGrads": {key: spec(p.grad) for key, p in module.named_parameters()},
        })


def padding(*lengths):
    return torch.arange(max(lengths)) >= torch.tensor(lengths).unsqueeze(1)


def causal(time):
    return torch.ones(time, time).triu(1).bool()


def hidden(draw, *shape):
    """Some of each row, never all of it: PyTorch gives NaN there."""
    mask = draw.flags(*shape)
    mask[..., 0] = False
    return mask


def attention(family):
    draw = Draw("transformer/attention")
    d, heads = 6, 2

    def make(bias=True):
        return nn.MultiheadAttention(d, heads, bias=bias, batch_first=True)

    def run(average=True, weights=False, same=False, **fixed):
        def forward(m, query, key=None, value=None, mask=None, keyPaddingMask=None):
            key = query if key is None else key
            value = key if value is None else value
            return m(query, key, value, attn_mask=fixed.get("attn_mask", mask), key_padding_mask=keyPaddingMask,
                     need_weights=weights, average_attn_weights=average)
        return forward

    def add(inputs, module=None, args=(), run=run(), **more):
        family.add("MultiHeadAttention", [d, heads, *args], module or make(), run, inputs, **more)

    x, y, z = (lambda: draw.normal(2, 3, d)), (lambda: draw.normal(2, 4, d)), (lambda: draw.normal(2, 4, d))
    add([x()], note="self")
    add([x(), y()], note="cross")
    add([x(), y(), z()], note="query, key and value differ")
    add([x()], make(bias=False), [{"bias": False}], note="no bias")
    add([draw.normal(3, d)], note="no batch")
    add([draw.normal(3, d), draw.normal(5, d)], run=run(weights=True), options={"needWeights": True}, note="no batch")
    add([x(), y()], run=run(weights=True), options={"needWeights": True}, note="mean weights")
    add([x(), y()], run=run(weights=True, average=False), options={"needWeights": True, "averageWeights": False},
        note="weights by head")
    add([x()], run=run(attn_mask=causal(3)), options={"isCausal": True}, note="causal")
    add([x()], masks={"mask": hidden(draw, 3, 3)}, note="mask")
    add([x(), y()], masks={"mask": hidden(draw, 2 * heads, 3, 4)}, note="a mask for each head")
    add([x(), y()], masks={"mask": draw.normal(3, 4)}, note="floating mask")
    add([x(), y()], masks={"keyPaddingMask": padding(4, 2)}, note="padding")
    add([x(), y()], masks={"mask": hidden(draw, 3, 4), "keyPaddingMask": padding(3, 4)}, note="mask and padding",
        run=run(weights=True), options={"needWeights": True})
    add([x(), y()], masks={"mask": draw.normal(3, 4), "keyPaddingMask": padding(3, 4)}, note="floating mask and padding")


def layers(family):
    draw = Draw("transformer/layers")
    d, heads, ff = 6, 2, 5
    for norm_first in (False, True):
        for activation in ("relu", "gelu"):
            args = [d, heads, ff, {"dropout": 0, "normFirst": norm_first, "activation": activation}]
            options = {"dropout": 0, "norm_first": norm_first, "activation": activation, "batch_first": True}

            def encoder():
                return nn.TransformerEncoderLayer(d, heads, ff, **options)

            def encode(m, x, mask=None, keyPaddingMask=None):
                return m(x, src_mask=mask, src_key_padding_mask=keyPaddingMask)

            family.add("EncoderLayer", args, encoder(), encode, [draw.normal(2, 3, d)])
            family.add("EncoderLayer", args, encoder(), encode, [draw.normal(2, 4, d)],
                       {"mask": hidden(draw, 4, 4), "keyPaddingMask": padding(2, 4)}, note="masks")

            def decoder():
                return nn.TransformerDecoderLayer(d, heads, ff, **options)

            def decode(m, x, memory, mask=None, keyPaddingMask=None, memoryMask=None, memoryKeyPaddingMask=None):
                mask = causal(x.shape[1]) if mask is None else mask
                return m(x, memory, tgt_mask=mask, tgt_key_padding_mask=keyPaddingMask, memory_mask=memoryMask,
                         memory_key_padding_mask=memoryKeyPaddingMask)

            family.add("DecoderLayer", args, decoder(), decode, [draw.normal(2, 3, d), draw.normal(2, 4, d)])
            family.add("DecoderLayer", args, decoder(), decode, [draw.normal(2, 4, d), draw.normal(2, 3, d)],
                       {"mask": hidden(draw, 4, 4), "keyPaddingMask": padding(4, 2), "memoryMask": hidden(draw, 4, 3),
                        "memoryKeyPaddingMask": padding(3, 1)},
                       options={"isCausal": False}, note="masks")


class WholeTransformer(nn.Module):
    """What Gradloom's Transformer is, from PyTorch's parts: embeddings times √d, sinusoids, stacks, projection."""

    def __init__(self, src_vocab, tgt_vocab, d, heads, ff, layers, norm_first, tie):
        super().__init__()
        self.src_embedding, self.tgt_embedding = nn.Embedding(src_vocab, d), nn.Embedding(tgt_vocab, d)
        stacks = nn.Transformer(d, heads, layers, layers, ff, 0.0, norm_first=norm_first, batch_first=True)
        self.encoder, self.decoder = stacks.encoder, stacks.decoder
        self.projection = nn.Linear(d, tgt_vocab)
        if tie:
            self.projection.weight = self.tgt_embedding.weight

    def positions(self, ids, embedding):
        x = embedding(ids)
        time, d = x.shape[1:]
        t = torch.arange(time, dtype=torch.float64).unsqueeze(1)
        angle = t / 10000 ** (torch.arange(0, d, 2, dtype=torch.float64) / d)
        pe = torch.stack([angle.sin(), angle.cos()], -1).flatten(-2)[:, :d]
        return x * d ** 0.5 + pe.float()

    def forward(self, src, tgt, srcPaddingMask=None, tgtPaddingMask=None):
        memory = self.encoder(self.positions(src, self.src_embedding), src_key_padding_mask=srcPaddingMask)
        y = self.decoder(self.positions(tgt, self.tgt_embedding), memory, tgt_mask=causal(tgt.shape[1]),
                         tgt_key_padding_mask=tgtPaddingMask, memory_key_padding_mask=srcPaddingMask)
        return self.projection(y)


def stacks(family):
    draw = Draw("transformer/stacks")
    for norm_first in (False, True):
        for tie in (False, True):
            model = WholeTransformer(7, 5, 6, 2, 8, 2, norm_first, tie)
            args = [{"srcVocabSize": 7, "tgtVocabSize": 5, "dModel": 6, "numHeads": 2, "dFf": 8, "numEncoderLayers": 2,
                     "numDecoderLayers": 2, "dropout": 0, "normFirst": norm_first, "tieWeights": tie}]
            src, tgt = draw.integers(2, 4, low=0, high=7).long(), draw.integers(2, 3, low=0, high=5).long()
            padded = {"srcPaddingMask": padding(4, 2), "tgtPaddingMask": padding(3, 2)}
            for masks in ({}, padded):
                # Ids have no gradient: they are given as masks.
                given = {"src": src, "tgt": tgt, **masks}
                family.add("Transformer", args, model, lambda m, src, tgt, **rest: m(src, tgt, **rest), [], given)
                model.zero_grad()


def families():
    family = Transformers()
    attention(family)
    layers(family)
    stacks(family)
    return [family]
