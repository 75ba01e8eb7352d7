"""Reductions over all elements, one axis or several."""

import math

import torch

from .case import Family

INF = math.inf
NAN = math.nan


def axes(family, op, dtype=torch.float32, torch_fn=None, second=False, draw_values=None, several=True):
    """The forms that every reduction has."""
    fn = torch_fn
    draw = family.draw(op)
    values = draw_values or (lambda *shape: draw.normal(*shape, dtype=dtype))
    family.add(op, values(3, 4), torch_fn=fn, second=second)
    for shape, dim in (((3, 4), 0), ((3, 4), 1), ((2, 3, 4), -2), ((2, 19), -1), ((19, 3), 0)):
        family.add(op, values(*shape), dim, torch_fn=fn, second=second and dim == -2)
    family.add(op, values(2, 3, 4), 1, torch_fn=fn, keepdim=True)
    if several:
        family.add(op, values(2, 3, 4), [0, 2], torch_fn=fn)
        family.add(op, values(2, 3, 4), [-1, 0], torch_fn=fn, keepdim=True)


def sums(family):
    for op in ("sum", "mean"):
        axes(family, op, second=True)
        draw = family.draw(op)
        family.add(op, draw.normal(3, 4, dtype=torch.float64), 0)
        family.add(op, draw.normal(), note="0-d")
        family.add(op, draw.normal(1000), note="many")
        family.add(op, torch.zeros(0, 3), 0, note="empty")
    draw = family.draw("sum")
    family.add("sum", draw.integers(3, 4), 0)
    family.add("sum", draw.flags(3, 4), 1)
    family.add("sum", draw.integers(4, low=200, high=250, dtype=torch.uint8), note="no wrapping")
    family.add("sum", torch.tensor([[INF, 1.0], [-INF, INF], [NAN, 0.0]]), 1, gradient=False)

    def product(x, dim=None, keepdim=False):
        return x.prod() if dim is None else x.prod(dim, keepdim=keepdim)

    axes(family, "prod", torch_fn=product, several=False)
    family.add("prod", torch.tensor([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0], [2.0, 3.0, 4.0]]), 1, note="zeros")
    family.add("prod", torch.tensor([2.0, 0.0, 3.0]), note="one zero")
    family.add("prod", torch.tensor([2, 3, -4], dtype=torch.int32))


def spread(family):
    for op in ("var", "std"):
        def fn(x, dim=None, correction=1, keepdim=False, op=op):
            dim = list(range(x.dim())) if dim is None else dim
            return getattr(torch, op)(x, dim, correction=correction, keepdim=keepdim)

        axes(family, op, torch_fn=fn, second=True)
        draw = family.draw(op)
        family.add(op, draw.normal(3, 4), 1, torch_fn=fn, correction=0)
        family.add(op, draw.normal(3, 4, dtype=torch.float64), 0, torch_fn=fn)
        family.add(op, draw.normal(2, 6).add(1000), 1, torch_fn=fn, gradient=False, note="far from 0")


def extremes(family):
    for op in ("amax", "amin"):
        axes(family, op)
        family.add(op, torch.tensor([[3.0, 1.0, 3.0], [1.0, 1.0, 2.0]]), 1, note="ties")
        family.add(op, torch.tensor([[1.0, NAN], [INF, -INF]]), 1, gradient=False, note="edges")
        family.add(op, family.draw(op).integers(3, 4), 0)
    for op in ("max", "min"):
        def fn(x, dim=None, keepdim=False, op=op):
            return getattr(x, op)() if dim is None else getattr(x, op)(dim, keepdim=keepdim)

        axes(family, op, torch_fn=fn, several=False)
        family.add(op, torch.tensor([3.0, 1.0, 3.0, 1.0]), torch_fn=fn, note="ties")
        family.add(op, family.draw(op).integers(3, 4), 0, torch_fn=fn)
        family.add(op, torch.tensor([1.0, NAN, 2.0]), torch_fn=fn, gradient=False, note="NaN")
    for op in ("argmax", "argmin"):
        draw = family.draw(op)
        family.add(op, draw.normal(3, 4))
        family.add(op, draw.normal(3, 4), 0)
        family.add(op, draw.normal(2, 3, 4), -1, keepdim=True)
        family.add(op, draw.normal(2, 37), 1)
        family.add(op, draw.integers(3, 4, low=0, high=3), 1, note="ties")
        family.add(op, torch.tensor([[1.0, NAN, 3.0], [-INF, -INF, -INF]]), 1, note="edges")
        family.add(op, draw.normal(2, 5, dtype=torch.float64), 1)


def norms(family):
    def norm(x, dim=None, p=2, keepdim=False):
        return torch.linalg.vector_norm(x, ord=p, dim=dim, keepdim=keepdim)

    axes(family, "norm", torch_fn=norm, second=True)
    draw = family.draw("norm")
    for p in (1, 3, INF):
        family.add("norm", draw.normal(3, 4), 1, torch_fn=norm, p=p)
    family.add("norm", draw.normal(3, 4, dtype=torch.float64), 0, torch_fn=norm)
    family.add("norm", torch.zeros(3), torch_fn=norm, note="gradient at 0")


def logic_and_logs(family):
    for op in ("any", "all"):
        def fn(x, dim=None, keepdim=False, op=op):
            return getattr(x, op)() if dim is None else getattr(x, op)(dim, keepdim=keepdim)

        draw = family.draw(op)
        family.add(op, draw.flags(3, 4), torch_fn=fn)
        family.add(op, draw.flags(3, 2), 1, torch_fn=fn)
        family.add(op, draw.flags(3, 2), 0, torch_fn=fn, keepdim=True)
        family.add(op, torch.tensor([[0.0, NAN], [0.0, -0.0]]), 1, torch_fn=fn, gradient=False)
        family.add(op, torch.zeros(0, dtype=torch.bool), torch_fn=fn, note="empty")

    def logsumexp(x, dim, keepdim=False):
        return torch.logsumexp(x, dim, keepdim)

    draw = family.draw("logsumexp")
    for shape, dim in (((3, 5), -1), ((3, 5), 0), ((2, 3, 4), [0, 2])):
        family.add("logsumexp", draw.normal(*shape), dim, torch_fn=logsumexp, second=True)
    family.add("logsumexp", draw.normal(3, 5), 1, torch_fn=logsumexp, keepdim=True)
    family.add("logsumexp", torch.tensor([[1000.0, 1000.0], [-INF, 0.0], [INF, 1.0]]), 1,
               torch_fn=logsumexp, gradient=False, note="edges")
    # PyTorch's own gradient loses four digits here: exp(x - y) with y rounded to a float32 near 1000.
    family.add("logsumexp", torch.tensor([[1000.0, 999.0], [-1000.0, -999.0]]), 1, torch_fn=logsumexp, gradient=False)


def families():
    family = Family("reductions")
    sums(family)
    spread(family)
    extremes(family)
    norms(family)
    logic_and_logs(family)
    return [family]
