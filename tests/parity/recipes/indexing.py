"""Gathering, scattering, scans and sorting."""

import math

import torch
import torch.nn.functional as F

from .case import Family

INF = math.inf
NAN = math.nan


def positions(draw, *shape, size):
    """Indices as Gradloom has them; PyTorch wants 64 bits."""
    return draw.integers(*shape, low=0, high=size)


def along(op):
    """PyTorch's method, with 64-bit indices."""
    def fn(x, dim, index, *src):
        return getattr(x, op)(dim, index.long(), *src)

    return fn


def gathers(family):
    draw = family.draw("gather")
    fn = along("gather")
    for shape, dim, index in (
        ((3, 4), 0, (3, 4)), ((3, 4), 1, (2, 9)), ((2, 3, 4), -2, (2, 5, 4)), ((5,), 0, (7,)),
        ((2, 3, 4), 2, (1, 2, 3)), ((2, 3, 4), 0, (4, 1, 2)),
    ):
        size = shape[dim]
        family.add("gather", draw.normal(*shape), dim, positions(draw, *index, size=size), torch_fn=fn)
    family.add("gather", draw.normal(3, 4, dtype=torch.float64), 0, positions(draw, 2, 4, size=3), torch_fn=fn)
    family.add("gather", draw.integers(3, 4), 0, positions(draw, 2, 4, size=3), torch_fn=fn)
    family.add("gather", draw.flags(9), 0, positions(draw, 4, size=9), torch_fn=fn)
    family.add("gather", draw.normal(), 0, positions(draw, 3, size=1), torch_fn=fn, note="0-d")
    family.add("gather", draw.normal(4), 0, positions(draw, size=4), torch_fn=fn, note="one index")
    family.add("gather", draw.normal(3, 4), 1, positions(draw, 3, 0, size=4), torch_fn=fn, note="empty")

    def powers(x, dim, index):
        return x.exp().gather(dim, index.long()).square()

    family.add("gatherOfPowers", draw.normal(3, 4), 1, positions(draw, 3, 7, size=4), torch_fn=powers, second=True)

    fn = along("index_select")
    draw = family.draw("indexSelect")
    for shape, dim, count in (((3, 4), 0, 5), ((3, 4), 1, 2), ((2, 3, 4), -2, 4), ((5,), 0, 3), ((3, 4), 0, 0)):
        family.add("indexSelect", draw.normal(*shape), dim, positions(draw, count, size=shape[dim]), torch_fn=fn)
    family.add("indexSelect", draw.normal(2, 3), 1, positions(draw, size=3), torch_fn=fn, note="one index")
    family.add("indexSelect", draw.integers(4, 2), 0, positions(draw, 3, size=4), torch_fn=fn)

    def take(x, index):
        return x.take(index.long())

    draw = family.draw("take")
    family.add("take", draw.normal(3, 4), draw.integers(2, 5, low=-12, high=12), torch_fn=take)
    family.add("take", draw.normal(5), draw.integers(low=-5, high=5), torch_fn=take)
    family.add("take", draw.normal(), draw.integers(2, low=-1, high=1), torch_fn=take)
    family.add("take", draw.integers(3, 4), draw.integers(7, low=0, high=12), torch_fn=take)


def scatters(family):
    draw = family.draw("scatter")
    fn = along("scatter")

    def distinct(*shape, size):
        """Indices of which no two along the last axis are equal: PyTorch says nothing about those."""
        order = torch.argsort(draw.uniform(*shape[:-1], size), -1)
        return order[..., : shape[-1]].to(torch.int32)

    family.add("scatter", draw.normal(3, 4), 1, distinct(3, 4, size=4), draw.normal(3, 4), torch_fn=fn)
    family.add("scatter", draw.normal(3, 6), -1, distinct(2, 3, size=6), draw.normal(2, 3), torch_fn=fn)
    family.add("scatter", draw.normal(5, 3), 0, distinct(3, 2, size=5).t().contiguous(), draw.normal(2, 3), torch_fn=fn)
    family.add("scatter", draw.normal(2, 3, 4), 2, distinct(2, 2, 2, size=4), draw.normal(2, 2, 2), torch_fn=fn)
    family.add("scatter", draw.normal(3, 4), 1, positions(draw, 3, 2, size=4), 2.5, torch_fn=fn)
    family.add("scatter", draw.integers(6), 0, distinct(3, size=6), draw.integers(3), torch_fn=fn)
    family.add("scatter", draw.flags(6), 0, distinct(3, size=6), draw.flags(3), torch_fn=fn)
    family.add("scatter", draw.normal(3, 4), 1, positions(draw, 3, 0, size=4), draw.normal(3, 0), torch_fn=fn)

    def larger(x, dim, index, src):
        """Where src is larger than the index PyTorch has values, but no gradient."""
        return x.scatter(dim, index.long(), src)

    family.add("scatter", draw.normal(3, 6), -1, distinct(2, 3, size=6), draw.normal(3, 5), torch_fn=larger,
               gradient=False, note="larger src")

    draw = family.draw("scatterAdd")
    fn = along("scatter_add")
    for shape, dim, index in (((3, 4), 0, (5, 4)), ((3, 4), 1, (2, 9)), ((2, 3, 4), -2, (1, 7, 2)), ((4,), 0, (40,))):
        where = positions(draw, *index, size=shape[dim])
        family.add("scatterAdd", draw.normal(*shape), dim, where, draw.normal(*index), torch_fn=fn)
    family.add("scatterAdd", draw.integers(4), 0, positions(draw, 9, size=4), draw.integers(9), torch_fn=fn)
    family.add("scatterAdd", draw.flags(4), 0, positions(draw, 3, size=4), draw.flags(3), torch_fn=fn)
    full = draw.integers(4, low=200, high=256, dtype=torch.uint8)
    family.add("scatterAdd", full, 0, positions(draw, 4, size=4), full.clone(), torch_fn=fn, note="wraps")


def tables(family):
    def embedding(ids, weight, paddingIdx=None):
        return F.embedding(ids.long(), weight, paddingIdx)

    draw = family.draw("embedding")
    family.add("embedding", positions(draw, 2, 5, size=4), draw.normal(4, 3), torch_fn=embedding)
    family.add("embedding", positions(draw, 9, size=3), draw.normal(3, 2), torch_fn=embedding, paddingIdx=1)
    family.add("embedding", positions(draw, 9, size=3), draw.normal(3, 2), torch_fn=embedding, paddingIdx=-3)
    family.add("embedding", positions(draw, size=3), draw.normal(3, 2), torch_fn=embedding, note="one index")
    family.add("embedding", positions(draw, 0, size=3), draw.normal(3, 2), torch_fn=embedding, note="empty")
    family.add("embedding", positions(draw, 3, size=3), draw.normal(3, 2, dtype=torch.float64), torch_fn=embedding)

    def one_hot(ids, classes):
        return F.one_hot(ids.long(), classes)

    draw = family.draw("oneHot")
    family.add("oneHot", positions(draw, 5, size=4), 4, torch_fn=one_hot)
    family.add("oneHot", positions(draw, 2, 3, size=3), 5, torch_fn=one_hot)


def scans(family):
    for op in ("cumsum", "cumprod"):
        draw = family.draw(op)
        for shape, dim in (((3, 4), 0), ((3, 4), 1), ((2, 3, 4), -2), ((2, 19), -1), ((19, 3), 0), ((1, 3), 0)):
            family.add(op, draw.normal(*shape), dim, second=op == "cumprod" and len(shape) == 3)
        family.add(op, draw.normal(3, 4, dtype=torch.float64), 0)
        family.add(op, draw.normal(), 0, note="0-d")
        family.add(op, draw.normal(2, 0), 1, note="empty")
        family.add(op, draw.integers(3, 4), 0)
        family.add(op, draw.flags(7), 0)
        family.add(op, draw.integers(4, low=1, high=250, dtype=torch.uint8), 0, note="no wrapping")
        family.add(op, torch.tensor([1.0, INF, -INF, 2.0, NAN, 1.0]), 0, gradient=False)
    zeros = torch.tensor([[1.0, 0.0, 2.0, 3.0], [0.0, 3.0, 0.0, 2.0], [2.0, 3.0, 4.0, 0.0], [0.0, 2.0, 3.0, 4.0]])
    family.add("cumprod", zeros.clone(), 1, second=True, note="zeros")
    family.add("cumprod", zeros.clone(), 0, second=True, note="zeros")

    def product(x, dim=None):
        """PyTorch 1.13 has no second gradients of `prod` where two elements are 0; `cumprod` has."""
        return x.flatten().cumprod(0)[-1] if dim is None else x.cumprod(dim).select(dim, -1)

    family.add("prod", zeros.clone(), 1, torch_fn=product, second=True, note="zeros")
    family.add("prod", zeros.clone(), 0, torch_fn=product, second=True, note="zeros")
    family.add("prod", torch.tensor([2.0, 0.0, 3.0]), torch_fn=product, second=True, note="one zero")
    family.add("prod", torch.tensor([[2.0, 0.0], [3.0, 0.0]]), torch_fn=product, second=True, note="two zeros")


def sorts(family):
    def stable(x, dim=-1, descending=False):
        return list(torch.sort(x, dim=dim, descending=descending, stable=True))

    edges = torch.tensor([1.0, NAN, INF, 0.0, -0.0, -INF, 2.0])
    draw = family.draw("sort")
    family.add("sort", draw.normal(3, 5), torch_fn=stable)
    family.add("sort", draw.normal(3, 5), 0, torch_fn=stable)
    family.add("sort", draw.normal(2, 19, 3), -2, torch_fn=stable, descending=True)
    family.add("sort", draw.integers(2, 37, low=0, high=9), 1, torch_fn=stable, note="ties")
    family.add("sort", draw.integers(37, low=0, high=9), 0, torch_fn=stable, descending=True, note="ties")
    family.add("sort", draw.flags(9), torch_fn=stable)
    family.add("sort", draw.integers(9, low=0, high=256, dtype=torch.uint8), torch_fn=stable)
    family.add("sort", draw.normal(2, 5, dtype=torch.float64), 1, torch_fn=stable)
    family.add("sort", draw.normal(), torch_fn=stable, note="0-d")
    family.add("sort", edges.clone(), torch_fn=stable, gradient=False, note="edges")
    family.add("sort", edges.clone(), 0, torch_fn=stable, gradient=False, descending=True, note="edges")

    def argsort(x, dim=-1, descending=False):
        return stable(x, dim, descending)[1]

    draw = family.draw("argsort")
    family.add("argsort", draw.normal(3, 5), torch_fn=argsort)
    family.add("argsort", draw.normal(19, 3), 0, torch_fn=argsort, descending=True)
    family.add("argsort", edges.clone(), torch_fn=argsort)

    def topk(x, k, dim=-1, largest=True, sorted=True):
        return list(torch.topk(x, k, dim, largest, sorted))

    draw = family.draw("topk")
    family.add("topk", draw.normal(3, 5), 2, torch_fn=topk)
    family.add("topk", draw.normal(20, 3), 3, 0, torch_fn=topk)
    family.add("topk", draw.normal(2, 20, 3), 4, 1, torch_fn=topk, largest=False)
    family.add("topk", draw.normal(4), 4, torch_fn=topk)
    family.add("topk", draw.normal(4), 0, torch_fn=topk, note="none")
    family.add("topk", draw.normal(), 1, torch_fn=topk, note="0-d")
    family.add("topk", torch.tensor([1.0, NAN, INF, 0.0, -INF]), 3, torch_fn=topk, gradient=False, note="edges")
    family.add("topk", torch.tensor([1.0, NAN, INF, 0.0, -INF]), 3, -1, torch_fn=topk, gradient=False, largest=False)
    family.add("topk", draw.normal(9, dtype=torch.float64), 3, torch_fn=topk)


def families():
    family = Family("indexing")
    gathers(family)
    scatters(family)
    tables(family)
    scans(family)
    sorting = Family("sorting")
    sorts(sorting)
    return [family, sorting]
