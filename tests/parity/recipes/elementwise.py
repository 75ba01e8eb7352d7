"""Arithmetic, comparison, activations."""

import math

import torch
import torch.nn.functional as F

from .case import Family, const

INF = math.inf
NAN = math.nan
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.5, -2.5, 30.0, -30.0, INF, -INF, NAN]

# How inputs of a unary operation are drawn: over the whole line, above 0, or inside (-1, 1).
LINE = "abs sign square exp expm1 sin cos atan sinh cosh tanh erf floor ceil round trunc neg".split()
ABOVE_ZERO = "sqrt rsqrt log log2 reciprocal".split()
UNIT = "asin acos log1p tan".split()
SMOOTH = "square exp sin cos tanh erf sqrt log reciprocal log1p atan".split()
# Integers stay integers here; elsewhere they become float32.
INTEGER = "abs sign square neg floor ceil round trunc".split()

ACTIVATIONS = {
    "relu": F.relu,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "gelu": F.gelu,
    "softplus": F.softplus,
    "hardswish": F.hardswish,
    "mish": F.mish,
    "elu": F.elu,
    "leakyRelu": F.leaky_relu,
}


def inputs(op, draw, *shape, dtype=torch.float32):
    if op in ABOVE_ZERO:
        return draw.uniform(*shape, low=0.05, high=4, dtype=dtype)
    if op in UNIT:
        return draw.uniform(*shape, low=-0.95, high=0.95, dtype=dtype)
    return draw.normal(*shape, dtype=dtype, scale=2)


def unary(family):
    for op in LINE + ABOVE_ZERO + UNIT:
        draw = family.draw(op)
        family.add(op, inputs(op, draw, 3, 7), second=op in SMOOTH)
        family.add(op, inputs(op, draw, 2, 5, dtype=torch.float64))
        family.add(op, torch.tensor(EDGES), note="edges", gradient=False)
        family.add(op, inputs(op, draw), note="0-d")
        if op in INTEGER:
            family.add(op, draw.integers(5))
        else:
            family.add(op, draw.integers(5, low=1, high=2))
            family.add(op, torch.tensor([True, True]))
    large = torch.tensor([-100.0, -88.0, -20.0, -8.0, -1e-4, 1e-4, 8.0, 20.0, 88.0, 100.0])
    for op in "exp expm1 tanh erf sinh cosh sin cos".split():
        family.add(op, large.clone(), note="large and small")
    for op in "log log2 log1p sqrt rsqrt".split():
        family.add(op, torch.tensor([1e-30, 1e-7, 0.5, 0.999, 1.001, 2.0, 1e7, 1e30]), note="range")
    family.add("abs", torch.tensor([0.0, -0.0, -2.0]), note="gradient at 0")
    family.add("round", torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5, 3.49]), note="halves to even")


def binary(family):
    def floor_div(a, b, roundingMode):
        return torch.div(a, b, rounding_mode=roundingMode)

    shapes = [((3, 4), (3, 4)), ((3, 4), (4,)), ((2, 1, 3), (4, 1)), ((), (2, 3)), ((2, 3), ())]
    for op in "add sub mul div minimum maximum".split():
        for left, right in shapes:
            draw = family.draw(op)
            second = op in ("mul", "div") and left == (2, 1, 3)
            family.add(op, draw.normal(*left), draw.normal(*right), second=second)
        draw = family.draw(op)
        family.add(op, draw.normal(4, dtype=torch.float64), draw.normal(3, 1, dtype=torch.float64))
        family.add(op, draw.integers(2, 3), draw.integers(3, low=1))
        family.add(op, draw.integers(4), draw.normal(4), note="int32 and float32")
        family.add(op, draw.normal(4), draw.normal(4, dtype=torch.float64), note="mixed floats")
        family.add(op, draw.integers(4, low=0, dtype=torch.uint8), draw.integers(4, low=1))
        edges = torch.tensor([0.0, 1.0, -1.0, INF, -INF, NAN, 2.0, 0.0])
        other = torch.tensor([0.0, INF, 0.0, INF, INF, 1.0, 2.0, -0.0])
        family.add(op, edges, other, note="edges", gradient=False)
    for op in "minimum maximum".split():
        family.add(op, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 3.0, 2.0]), note="ties")
    for op in "add sub mul div".split():
        draw = family.draw(op)
        family.add(op, draw.normal(2, 3), 2.5, note="scalar")
        family.add(op, draw.integers(3), 2, note="int32 and whole scalar")
        family.add(op, draw.integers(3), 2.5, note="int32 and scalar")
        family.add(op, draw.normal(3, dtype=torch.float64), 0.1, note="float64 and scalar")
    for op in "add mul div".split():
        draw = family.draw(op)
        family.add(op, draw.flags(4), draw.normal(4), note="bool and float32")
        family.add(op, torch.tensor([True, True]), draw.integers(2, low=1), note="bool and int32")
    for rounding in ("floor", "trunc"):
        draw = family.draw("div")
        family.add("div", draw.normal(6, scale=4), draw.normal(6), torch_fn=floor_div,
                   gradient=False, roundingMode=rounding)
        family.add("div", torch.tensor([7, -7, 7, -7, 6], dtype=torch.int32),
                   torch.tensor([2, 2, -2, -2, 3], dtype=torch.int32), torch_fn=floor_div,
                   roundingMode=rounding)
    signs = torch.tensor([7.5, -7.5, 7.5, -7.5, 6.0]), torch.tensor([2.0, 2.0, -2.0, -2.0, 3.0])
    family.add("remainder", *signs)
    family.add("remainder", torch.tensor([7, -7, 7, -7, 6], dtype=torch.int32),
               torch.tensor([2, 2, -2, -2, 3], dtype=torch.int32))
    family.add("remainder", family.draw("remainder").normal(2, 3, scale=3), 1.25, note="scalar")


def powers(family):
    draw = family.draw("pow")
    for exponent in (2, 3, 0.5, -1, -2, 0, 1, 2.5):
        family.add("pow", draw.uniform(2, 3, low=0.2, high=3), exponent, second=exponent == 2.5)
    family.add("pow", draw.normal(2, 3), 3, note="negative base")
    family.add("pow", torch.tensor([0.0, -0.0, 0.0]), 2, note="zero base")
    family.add("pow", torch.tensor([0.0, 2.0]), 0, note="to the power 0")
    family.add("pow", draw.uniform(2, 3, low=0.2, high=3), draw.normal(3), second=True)
    family.add("pow", draw.uniform(3, low=0.2, high=3, dtype=torch.float64), draw.normal(3, dtype=torch.float64))
    family.add("pow", draw.integers(5), 2, note="int32")
    family.add("pow", draw.integers(4, low=1), draw.integers(4, low=0, high=4), note="int32")
    family.add("pow", torch.tensor([-2.0, 2.0, 0.0, INF, -INF, 1.0, NAN]),
               torch.tensor([3.0, -INF, -1.0, 0.5, 3.0, NAN, 0.0]), gradient=False, note="edges")


def bounds(family):
    def clamp(x, low, high):
        return x.clamp(low, high)

    draw = family.draw("clamp")
    family.add("clamp", draw.normal(3, 5), -0.5, 0.8)
    family.add("clamp", torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0]), -0.5, 0.5, note="at the bounds")
    family.add("clamp", draw.normal(6), None, 0.2)
    family.add("clamp", draw.normal(6), 0, None)
    family.add("clamp", draw.integers(6), -2, 3, torch_fn=clamp)
    family.add("clamp", draw.normal(6, dtype=torch.float64), -0.3, 0.3)
    family.add("lerp", draw.normal(3, 2), draw.normal(3, 2), 0.3)
    family.add("lerp", draw.normal(3, 2), draw.normal(3, 2), draw.uniform(3, 2))


def comparison(family):
    left = torch.tensor([1.0, 2.0, 3.0, NAN, INF, -0.0, INF])
    right = torch.tensor([1.0, 3.0, 2.0, NAN, INF, 0.0, -INF])
    for op in "eq ne lt le gt ge".split():
        draw = family.draw(op)
        family.add(op, left.clone(), right.clone(), note="edges", gradient=False)
        family.add(op, draw.integers(3, 1), draw.integers(4))
        family.add(op, draw.normal(2, 3), 0.25, note="scalar", gradient=False)
        family.add(op, draw.integers(4), draw.normal(4), note="int32 and float32", gradient=False)
        family.add(op, draw.flags(4), draw.flags(4))
    for op in "logicalAnd logicalOr".split():
        draw = family.draw(op)
        family.add(op, draw.flags(3, 1), draw.flags(4))
        family.add(op, torch.tensor([0.0, 1.0, NAN, -2.0]), torch.tensor([1.0, 0.0, 1.0, 3.0]), gradient=False)
    family.add("logicalNot", torch.tensor([0.0, 1.0, NAN, -0.0]), gradient=False)
    family.add("logicalNot", torch.tensor([True, False]))
    family.add("logicalNot", torch.tensor([0, 3, -1], dtype=torch.int32))
    for op in "isnan isinf isfinite".split():
        family.add(op, torch.tensor(EDGES), gradient=False)


def activations(family):
    for op, fn in ACTIVATIONS.items():
        draw = family.draw(op)
        plain = op in ("relu", "leakyRelu", "hardswish")
        family.add(op, draw.normal(4, 6, scale=2), torch_fn=fn, second=not plain)
        family.add(op, draw.normal(5, dtype=torch.float64, scale=2), torch_fn=fn)
        values = torch.tensor([-100.0, -20.0, -5.0, -1e-3, 1e-3, 5.0, 20.0, 25.0, 100.0])
        family.add(op, values, torch_fn=fn, note="large and small")
    family.add("relu", torch.tensor([0.0, -0.0, 1.0]), note="gradient at 0")
    family.add("relu", torch.tensor([INF, -INF, NAN]), gradient=False, note="edges")
    family.add("relu", family.draw("relu").integers(5))
    draw = family.draw("gelu")
    family.add("gelu", draw.normal(4, 6, scale=2), torch_fn=F.gelu, approximate="tanh", second=True)
    family.add("elu", draw.normal(6), torch_fn=F.elu, alpha=0.5)
    family.add("leakyRelu", draw.normal(6), torch_fn=lambda x, negativeSlope: F.leaky_relu(x, negativeSlope),
               negativeSlope=0.2)
    family.add("softplus", draw.normal(6, scale=8), torch_fn=F.softplus, beta=2, threshold=5)
    for op in ("softmax", "logSoftmax"):
        draw = family.draw(op)
        for shape, dim in (((3, 5), -1), ((3, 5), 0), ((2, 3, 4), 1), ((6,), 0)):
            family.add(op, draw.normal(*shape, scale=2), dim, second=len(shape) == 2)
        family.add(op, draw.normal(2, 3, dtype=torch.float64), -1)
        family.add(op, draw.normal(3, 33), -1, note="a row longer than a vector")
        family.add(op, torch.tensor([[1000.0, 0.0, -1000.0], [88.0, 89.0, 90.0]]), -1, note="large")
        masked = torch.tensor([[0.0, -INF, 1.0], [-INF, -INF, 2.0]])
        family.add(op, masked, -1, note="masked by -inf", gradient=op == "softmax")


def selection(family):
    draw = family.draw("where")
    family.add("where", draw.flags(3, 4), draw.normal(3, 4), draw.normal(3, 4), torch_fn=torch.where)
    family.add("where", draw.flags(3, 1), draw.normal(4), draw.normal(3, 4), torch_fn=torch.where)
    family.add("where", draw.flags(4), draw.integers(4), draw.integers(4), torch_fn=torch.where)
    family.add("maskedFill", draw.normal(3, 4), draw.flags(3, 4), -2.0)
    family.add("maskedFill", draw.normal(3, 4), draw.flags(4), -INF)
    family.add("maskedFill", const(draw.normal(2, 3, 4)), draw.flags(3, 1), 0.5)


def families():
    arithmetic = Family("arithmetic")
    unary(arithmetic)
    binary(arithmetic)
    powers(arithmetic)
    bounds(arithmetic)
    comparisons = Family("comparison")
    comparison(comparisons)
    selection(comparisons)
    activation = Family("activations")
    activations(activation)
    return [arithmetic, comparisons, activation]
