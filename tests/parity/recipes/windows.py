"""Convolutions, pools, resizing and attention."""

import torch
import torch.nn.functional as F

from .case import Family

DOUBLE = torch.float64


def convolutions(family):
    def conv(fn, transposed=False):
        def call(x, weight, bias=None, stride=1, padding=0, outputPadding=0, dilation=1, groups=1):
            if transposed:
                return fn(x, weight, bias, stride, padding, outputPadding, groups, dilation)
            return fn(x, weight, bias, stride, padding, dilation, groups)

        return call

    fn = conv(F.conv2d)
    draw = family.draw("conv2d")

    def case(x, weight, bias=False, dtype=torch.float32, second=False, **options):
        if bias:
            options["bias"] = draw.normal(weight[0], dtype=dtype)
        family.add("conv2d", draw.normal(*x, dtype=dtype), draw.normal(*weight, dtype=dtype), torch_fn=fn,
                   second=second, **options)

    case((2, 3, 4, 5), (4, 3, 3, 3), bias=True)
    case((1, 2, 6, 5), (3, 2, 3, 2), padding=1, second=True)
    case((1, 2, 7, 6), (2, 2, 3, 3), stride=2, padding=1, second=True)
    case((2, 2, 7, 7), (3, 2, 4, 4), stride=3, padding=[2, 1])
    case((1, 3, 6, 7), (2, 3, 1, 1), stride=2, bias=True)
    case((1, 2, 7, 8), (2, 2, 3, 3), dilation=2, padding=2, second=True)
    case((1, 2, 8, 7), (2, 2, 2, 3), dilation=[1, 2], stride=[2, 1])
    case((1, 2, 8, 9), (2, 2, 3, 3), dilation=[3, 2], stride=2, padding=3, second=True)
    case((1, 2, 5, 6), (2, 2, 3, 4), padding="same", dilation=[2, 1])
    case((1, 2, 4, 4), (2, 2, 3, 3), padding="valid")
    case((2, 4, 5, 4), (6, 2, 3, 3), groups=2, padding=1, bias=True)
    case((2, 4, 5, 5), (4, 1, 3, 3), groups=4, padding=1, second=True)
    case((1, 3, 6, 5), (6, 1, 3, 2), groups=3, stride=2, bias=True)
    case((3, 4, 5), (2, 3, 2, 2))
    case((1, 9, 6, 7), (9, 9, 3, 3), padding=1)
    case((1, 2, 5, 5), (2, 2, 3, 3), padding=1, dtype=DOUBLE)
    case((1, 1, 1, 1), (1, 1, 3, 3), padding=1)

    draw = family.draw("conv1d")
    fn1 = conv(F.conv1d)
    family.add("conv1d", draw.normal(2, 3, 9), draw.normal(4, 3, 3), torch_fn=fn1, bias=draw.normal(4), padding=1)
    family.add("conv1d", draw.normal(2, 4, 11), draw.normal(6, 2, 3), torch_fn=fn1, groups=2, stride=2, dilation=2)
    family.add("conv1d", draw.normal(1, 2, 6), draw.normal(2, 2, 4), torch_fn=fn1, padding="same", second=True)
    family.add("conv1d", draw.normal(3, 7), draw.normal(2, 3, 2), torch_fn=fn1)

    draw = family.draw("convTranspose2d")
    back = conv(F.conv_transpose2d, True)

    def up(x, weight, bias=False, groups=1, second=False, **options):
        if bias:
            options["bias"] = draw.normal(weight[1] * groups)
        if groups > 1:
            options["groups"] = groups
        family.add("convTranspose2d", draw.normal(*x), draw.normal(*weight), torch_fn=back, second=second, **options)

    up((2, 3, 3, 4), (3, 2, 2, 2), bias=True, stride=2)
    up((1, 2, 4, 3), (2, 3, 3, 3), padding=1, second=True)
    up((1, 2, 3, 3), (2, 2, 4, 4), stride=2, padding=1, second=True)
    up((1, 2, 3, 4), (2, 2, 3, 3), stride=[3, 2], padding=[0, 1], outputPadding=[2, 1])
    up((1, 2, 4, 3), (2, 1, 2, 3), stride=2, dilation=2, outputPadding=1, second=True)
    up((2, 4, 3, 3), (4, 2, 3, 3), groups=2, stride=2, padding=1, bias=True)
    up((1, 4, 3, 4), (4, 1, 3, 3), groups=4)
    up((2, 3, 3), (2, 3, 2, 2))
    draw1 = family.draw("convTranspose1d")
    family.add("convTranspose1d", draw1.normal(2, 3, 5), draw1.normal(3, 2, 3), torch_fn=conv(F.conv_transpose1d, True),
               bias=draw1.normal(2), stride=2, padding=1, outputPadding=1)


def pools(family):
    def max_pool(fn):
        def call(x, kernel, stride=None, padding=0, dilation=1, ceilMode=False, returnIndices=False):
            return fn(x, kernel, stride, padding, dilation, ceilMode, returnIndices)

        return call

    draw = family.draw("maxPool2d")
    fn = max_pool(F.max_pool2d)
    for shape, kernel, options in (
        ((2, 3, 6, 8), 2, {}),
        ((1, 2, 7, 7), 2, {}),
        ((1, 2, 7, 7), 2, {"ceilMode": True}),
        ((1, 2, 7, 6), 3, {"stride": 2, "padding": 1}),
        ((1, 2, 7, 6), 3, {"stride": 2, "padding": 1, "returnIndices": True}),
        ((1, 2, 8, 9), [2, 3], {"stride": [1, 2], "padding": [1, 0], "dilation": [2, 1], "ceilMode": True}),
        ((2, 5, 5), 3, {"stride": 1}),
    ):
        family.add("maxPool2d", draw.normal(*shape), kernel, torch_fn=fn, **options)
    ties = draw.integers(1, 2, 6, 6, low=0, high=2).float()
    family.add("maxPool2d", ties.clone(), 3, torch_fn=fn, note="ties", stride=2, padding=1, returnIndices=True)
    family.add("maxPool2d", draw.normal(1, 2, 4, 4, dtype=DOUBLE), 2, torch_fn=fn)
    draw = family.draw("maxPool1d")
    fn = max_pool(F.max_pool1d)
    family.add("maxPool1d", draw.normal(2, 3, 9), 2, torch_fn=fn)
    family.add("maxPool1d", draw.normal(1, 2, 9), 3, torch_fn=fn, stride=2, padding=1, dilation=2)

    def avg(x, kernel, stride=None, padding=0, ceilMode=False, countIncludePad=True, divisorOverride=None):
        return F.avg_pool2d(x, kernel, stride, padding, ceilMode, countIncludePad, divisorOverride)

    draw = family.draw("avgPool2d")
    for shape, kernel, options in (
        ((2, 3, 6, 8), 2, {}),
        ((1, 2, 7, 7), 2, {"ceilMode": True}),
        ((1, 2, 7, 6), 3, {"stride": 2, "padding": 1}),
        ((1, 2, 7, 6), 3, {"stride": 2, "padding": 1, "countIncludePad": False}),
        ((1, 2, 8, 6), 3, {"stride": 2, "padding": 1, "ceilMode": True}),
        ((1, 2, 8, 6), 3, {"stride": 2, "padding": 1, "ceilMode": True, "countIncludePad": False}),
        ((2, 5, 5), [2, 3], {"stride": [2, 1], "divisorOverride": 5}),
    ):
        family.add("avgPool2d", draw.normal(*shape), kernel, torch_fn=avg, **options)

    for op, fn in (("adaptiveAvgPool2d", F.adaptive_avg_pool2d), ("adaptiveMaxPool2d", F.adaptive_max_pool2d)):
        draw = family.draw(op)
        for shape, size in (((2, 3, 6, 8), [3, 2]), ((1, 2, 7, 5), [3, 4]), ((1, 2, 3, 4), 5), ((2, 7, 5), 1),
                            ((1, 2, 5, 7), [None, 3])):
            family.add(op, draw.normal(*shape), size, torch_fn=fn)


def windows(family):
    draw = family.draw("unfold")

    def columns(x, kernel, options):
        return F.unfold(x, kernel, **options)

    for shape, kernel, options in (
        ((2, 3, 4, 5), 2, {}),
        ((1, 2, 6, 7), [3, 2], {"stride": 2, "padding": [1, 0], "dilation": [1, 2]}),
    ):
        family.add("unfold", draw.normal(*shape), kernel, options, torch_fn=columns)
    family.add("unfold", draw.normal(3, 9, 2), 1, 4, 2)
    family.add("unfold", draw.normal(7), -1, 2, 3)
    draw = family.draw("pixelShuffle")
    family.add("pixelShuffle", draw.normal(2, 12, 2, 3), 2, torch_fn=F.pixel_shuffle)
    family.add("pixelShuffle", draw.normal(9, 2, 2), 3, torch_fn=F.pixel_shuffle)


def resizing(family):
    def interpolate(x, options):
        names = {"scaleFactor": "scale_factor", "alignCorners": "align_corners"}
        call = {names.get(name, name): value for name, value in options.items()}
        if isinstance(call.get("scale_factor"), list):
            call["scale_factor"] = tuple(call["scale_factor"])
        return F.interpolate(x, **call)

    draw = family.draw("interpolate")
    sizes = ({"scaleFactor": 2}, {"scaleFactor": 1.7}, {"scaleFactor": [0.5, 0.6]}, {"size": 3}, {"size": [11, 2]},
             {"size": [1, 9]}, {"size": [5, 6]})
    for mode in ({}, {"mode": "bilinear"}, {"mode": "bilinear", "alignCorners": True}):
        for size in sizes:
            family.add("interpolate", draw.normal(1, 2, 5, 6), {**size, **mode}, torch_fn=interpolate)
    family.add("interpolate", draw.normal(1, 2, 7), {"size": 4}, torch_fn=interpolate)
    family.add("interpolate", draw.normal(1, 1, 4, 5, dtype=DOUBLE), {"size": 7, "mode": "bilinear"},
               torch_fn=interpolate, second=True)


def attention(family):
    def attend(q, k, v, mask=None, isCausal=False, scale=None):
        """As PyTorch defines it; 1.13 has it as a private function, without a scale."""
        scores = q @ k.transpose(-2, -1) * (q.shape[-1] ** -0.5 if scale is None else scale)
        if isCausal:
            scores = scores.masked_fill(~torch.ones(scores.shape[-2:], dtype=torch.bool).tril(), -torch.inf)
        if mask is not None:
            scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
        return scores.softmax(-1) @ v

    draw = family.draw("scaledDotProductAttention")

    def case(lead, queries, keys, second=False, **options):
        q, k, v = draw.normal(*lead, queries, 4), draw.normal(*lead, keys, 4), draw.normal(*lead, keys, 3)
        family.add("scaledDotProductAttention", q, k, v, torch_fn=attend, second=second, **options)

    mask = draw.flags(2, 1, 4, 5)
    mask[..., 0] = True
    case((2, 3), 4, 5)
    case((), 3, 3, second=True)
    case((2,), 5, 5, isCausal=True, second=True)
    case((2,), 3, 6, isCausal=True)
    case((2,), 4, 5, scale=0.3)
    case((2, 3), 4, 5, mask=mask)
    case((2, 3), 4, 5, mask=draw.normal(4, 5))


def families():
    family = Family("windows")
    convolutions(family)
    pools(family)
    windows(family)
    resizing(family)
    attention(family)
    return [family]
