"""Where rules differ between libraries: infinities and NaN, ties and bounds, limits of integers, empty tensors."""

import itertools
import math

import torch
import torch.nn.functional as F

from .case import Family, snake

INF = math.inf
NAN = math.nan
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, -2.5, 3.7, -3.7, INF, -INF, NAN]
PAIRS = list(itertools.product([0.0, -0.0, 1.0, -1.5, 2.5, INF, -INF, NAN], repeat=2))
WHOLE = [(a, b) for a, b in itertools.product([-(2**31), -7, -3, -1, 0, 1, 2, 7, 2**31 - 1], repeat=2)
         if b != 0 and (a, b) != (-(2**31), -1)]
BYTES = list(itertools.product([0, 1, 3, 128, 255], [1, 3, 128, 255]))


def both(pairs, dtype):
    return [torch.tensor([pair[i] for pair in pairs], dtype=dtype) for i in (0, 1)]


def special_values(family):
    for op in ("neg abs sign sqrt square exp expm1 log log1p log2 tanh erf floor ceil round trunc "
               "isnan isinf isfinite relu sigmoid logicalNot reciprocal").split():
        family.add(op, torch.tensor(SPECIAL))
    functions = {"gelu": F.gelu, "silu": F.silu, "softplus": F.softplus, "mish": F.mish}
    for op, fn in functions.items():
        family.add(op, torch.tensor(SPECIAL[:-1]), torch_fn=fn, gradient=False)
    family.add("elu", torch.tensor([0.0, -0.0, 1.0, -1.0]), torch_fn=F.elu, note="at 0")
    family.add("leakyRelu", torch.tensor([0.0, -0.0, NAN]), torch_fn=F.leaky_relu, note="at 0")
    for op in "add sub mul div remainder maximum minimum eq ne lt le gt ge pow".split():
        family.add(op, *both(PAIRS, torch.float32), gradient=op in ("maximum", "minimum"))
    for dtype, pairs in ((torch.int32, WHOLE), (torch.uint8, BYTES)):
        for op in "add sub mul div remainder maximum minimum eq lt le".split():
            family.add(op, *both(pairs, dtype))


def divisions(family):
    def div(x, y, roundingMode):
        return torch.div(x, y, rounding_mode=roundingMode)

    for mode in ("floor", "trunc"):
        for dtype, pairs in ((torch.float32, PAIRS), (torch.int32, WHOLE), (torch.uint8, BYTES)):
            family.add("div", *both(pairs, dtype), torch_fn=div, gradient=False, roundingMode=mode)


def powers(family):
    def whole(*values):
        return torch.tensor(values, dtype=torch.int32)

    family.add("pow", whole(3, 10, 7, -2, 2), whole(25, 20, 30, 31, 31), note="wraps")
    family.add("pow", whole(1, -1, -1, 2, -2), whole(-1, -1, -2, -1, -3), note="negative")
    family.add("pow", torch.tensor([3, 200], dtype=torch.uint8), 3, note="wraps")
    family.add("pow", torch.tensor([True, False]), 2)
    family.add("square", torch.tensor([True, False]))
    for exponent in (-1, 0, 1, 2, 3, 0.5, 1.5):
        family.add("pow", torch.tensor([0.0, 1.0, 2.0, 4.0]), exponent)
    family.add("pow", torch.tensor([0.0, 0.0, 2.0, -2.0, 0.0]), torch.tensor([0.0, 2.0, 0.0, 2.0, 1.0]))


def bounds_and_ties(family):
    def clamp(x, low, high=None):
        return torch.clamp(x, low, high)

    x = torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0])
    family.add("clamp", x.clone(), 0.0, 1.0, torch_fn=clamp, note="at bounds")
    family.add("clamp", x.clone(), 1.0, 0.0, torch_fn=clamp, note="bounds in the wrong order")
    family.add("clamp", torch.tensor([-5, 0, 5], dtype=torch.int32), -1, 2, torch_fn=clamp)
    family.add("clamp", torch.tensor(SPECIAL), -0.5, None, torch_fn=clamp)
    for op in ("maximum", "minimum"):
        family.add(op, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 3.0, 2.0]), note="ties")
    for op in ("amax", "amin"):
        def fn(x, dim=(), op=op):
            return getattr(torch, op)(x, dim)

        family.add(op, torch.tensor([[2.0, 2.0], [2.0, 1.0]]), [0, 1], torch_fn=fn, note="ties")
    for op in ("argmax", "argmin"):
        for values in ([3.0, 3.0, 1.0, 1.0], [INF, -INF, -INF], [1.0, NAN, NAN]):
            family.add(op, torch.tensor(values))


def reductions(family):
    for op in ("var", "std"):
        def fn(x, dim, correction=1, op=op):
            return getattr(torch, op)(x, dim, correction=correction)

        family.add(op, torch.tensor([3.0]), 0, torch_fn=fn, note="one")
        family.add(op, torch.tensor([3.0]), 0, torch_fn=fn, correction=0, note="one")
        family.add(op, torch.tensor([3.0, 3.0]), 0, torch_fn=fn, note="equal")
        family.add(op, torch.zeros(2, 0), 1, torch_fn=fn, note="empty")

    def norm(x, dim, p=2):
        return torch.linalg.vector_norm(x, ord=p, dim=dim)

    for p in (0.5, 1, 1.5, 2, 3, -1):
        family.add("norm", torch.zeros(3), 0, torch_fn=norm, p=p, note="zeros")
        family.add("norm", torch.tensor([3.0, 0.0, -4.0]), 0, torch_fn=norm, p=p, note="one zero")
        family.add("norm", torch.tensor([3.0, 2.0, -4.0]), 0, torch_fn=norm, p=p, second=p != 1)
    for p in (0, 2, INF, -INF):
        family.add("norm", torch.tensor([3.0, -3.0, 1.0]), 0, torch_fn=norm, gradient=p != 0, p=p, note="ties")
    for op in ("sum", "mean", "prod", "any", "all"):
        family.add(op, torch.zeros(2, 0), 1, gradient=False, note="empty")
    for op in ("softmax", "logSoftmax", "logsumexp"):
        def along(x, dim, op=op):
            return getattr(torch, snake(op))(x, dim)

        family.add(op, torch.zeros(2, 0), 1, torch_fn=along, note="empty")
        family.add(op, torch.tensor([[-INF, 0.0], [1.0, 2.0]]), 1, torch_fn=along)
        family.add(op, torch.tensor([[-INF, -INF], [INF, 1.0]]), 1, torch_fn=along, gradient=False)


def products(family):
    for a, b in (((0,), (0,)), ((2, 0), (0,)), ((2, 3), (3, 0)), ((2, 0, 3), (3, 2)), ((1, 2, 3), (4, 3, 2))):
        family.add("matmul", torch.ones(*a), torch.ones(*b))
    family.add("matmul", torch.tensor([[2**20, 3]], dtype=torch.int32),
               torch.tensor([[2**20], [4]], dtype=torch.int32), note="wraps")


def families():
    family = Family("edges")
    special_values(family)
    divisions(family)
    powers(family)
    bounds_and_ties(family)
    reductions(family)
    products(family)
    return [family]
