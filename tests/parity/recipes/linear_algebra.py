"""Products of matrices, and what is composed of them."""

import torch
import torch.nn.functional as F

from .case import Family, const


def products(family):
    shapes = [
        ((3, 4), (4, 5)), ((4,), (4,)), ((3, 4), (4,)), ((4,), (4, 5)), ((2, 3, 4), (4, 5)),
        ((2, 3, 4), (2, 4, 5)), ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (3, 4, 2)), ((2, 3, 4), (4,)),
        ((4,), (2, 4, 3)), ((1, 1), (1, 1)), ((3, 1), (1, 4)),
    ]
    for left, right in shapes:
        draw = family.draw("matmul")
        family.add("matmul", draw.normal(*left), draw.normal(*right), second=left == (2, 3, 4))
    draw = family.draw("matmul")
    family.add("matmul", draw.normal(5, 21), draw.normal(21, 17), note="no multiple of a tile")
    family.add("matmul", draw.normal(33, 9), draw.normal(9, 8))
    family.add("matmul", draw.normal(2, 3, dtype=torch.float64), draw.normal(3, 2, dtype=torch.float64))
    family.add("matmul", draw.normal(3, 0), draw.normal(0, 2), note="empty sum")
    family.add("mm", draw.normal(3, 4), draw.normal(4, 2))
    family.add("bmm", draw.normal(3, 2, 4), draw.normal(3, 4, 5))
    family.add("dot", draw.normal(7), draw.normal(7))
    family.add("outer", draw.normal(3), draw.normal(4))

    def transposed(a, b):
        return a.t() @ b.t()

    def both_sides(a):
        return a @ a.t()

    family.add("transposedMatmul", draw.normal(4, 3), draw.normal(5, 4), torch_fn=transposed)
    family.add("gramMatrix", draw.normal(4, 3), torch_fn=both_sides, second=True)


def grouped(family):
    def grouped_matmul(x, w, sizes):
        ends = sizes.cumsum(0).tolist()
        starts = [0, *ends[:-1]]
        parts = [x[start:end] @ w[i] for i, (start, end) in enumerate(zip(starts, ends))]
        return torch.cat([*parts, x[ends[-1]:] @ w[0] * 0])

    draw = family.draw("groupedMatmul")
    for sizes in ([2, 0, 3], [5, 0, 0], [1, 1, 1], [0, 0, 0]):
        family.add("groupedMatmul", draw.normal(5, 4), draw.normal(3, 4, 2),
                   torch.tensor(sizes, dtype=torch.int32), torch_fn=grouped_matmul, second=sizes[0] == 2)


def einsums(family):
    draw = family.draw("einsum")
    for equation, *shapes in (
        ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 2)),
        ("ij->ji", (2, 3)), ("ij->", (2, 3)), ("ij->j", (2, 3)), ("i,j->ij", (2,), (3,)), ("i,i->", (4,), (4,)),
        ("ij,ij->ij", (2, 3), (2, 3)), ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)), ("ii->i", (3, 3)),
        ("ii->", (3, 3)), ("...ij,...jk->...ik", (2, 3, 4), (4, 2)), ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ):
        family.add("einsum", equation, *[draw.normal(*shape) for shape in shapes], torch_fn=torch.einsum)


def neural(family):
    def linear(x, w, bias=None):
        return F.linear(x, w, bias)

    def layer_norm(x, shape, weight=None, bias=None, eps=1e-5):
        return F.layer_norm(x, shape, weight, bias, eps)

    def rms_norm(x, shape, weight=None, eps=1e-5):
        dims = list(range(-len(shape), 0))
        y = x * torch.rsqrt(x.square().mean(dims, keepdim=True) + eps)
        return y if weight is None else y * weight

    draw = family.draw("linear")
    family.add("linear", draw.normal(2, 4), draw.normal(3, 4), torch_fn=linear)
    family.add("linear", draw.normal(2, 5, 4), draw.normal(3, 4), torch_fn=linear, bias=draw.normal(3), second=True)
    family.add("linear", draw.normal(4), draw.normal(3, 4), torch_fn=linear, bias=draw.normal(3))
    draw = family.draw("layerNorm")
    family.add("layerNorm", draw.normal(3, 5), [5], torch_fn=layer_norm, second=True)
    family.add("layerNorm", draw.normal(2, 3, 4), [3, 4], torch_fn=layer_norm)
    family.add("layerNorm", draw.normal(4, 7, scale=3), [7], torch_fn=layer_norm, weight=draw.normal(7),
               bias=draw.normal(7), second=True)
    family.add("layerNorm", draw.normal(2, 3, 4), [3, 4], torch_fn=layer_norm, weight=draw.normal(3, 4),
               bias=draw.normal(3, 4), eps=0.1)
    family.add("layerNorm", draw.normal(3, 33), [33], torch_fn=layer_norm, weight=draw.normal(33))
    family.add("layerNorm", draw.normal(2, 6).add(20), [6], torch_fn=layer_norm, note="far from 0")
    def batch_norm(x, mean, var, weight=None, bias=None, training=False, eps=1e-5):
        return F.batch_norm(x, mean, var, weight, bias, training, 0.1, eps)

    def group_norm(x, groups, weight=None, bias=None, eps=1e-5):
        return F.group_norm(x, groups, weight, bias, eps)

    draw = family.draw("batchNorm")
    family.add("batchNorm", draw.normal(5, 3), None, None, torch_fn=batch_norm, training=True, second=True)
    family.add("batchNorm", draw.normal(2, 3, 2, 2), None, None, torch_fn=batch_norm, weight=draw.normal(3),
               bias=draw.normal(3), training=True)
    family.add("batchNorm", draw.normal(2, 3, 4), const(draw.normal(3)), const(draw.uniform(3, low=0.5, high=2)),
               torch_fn=batch_norm, weight=draw.normal(3), bias=draw.normal(3), eps=0.01)
    draw = family.draw("groupNorm")
    family.add("groupNorm", draw.normal(2, 4, 3), 2, torch_fn=group_norm, second=True)
    family.add("groupNorm", draw.normal(2, 6, 2, 2), 3, torch_fn=group_norm, weight=draw.normal(6), bias=draw.normal(6))
    draw = family.draw("rmsNorm")
    family.add("rmsNorm", draw.normal(3, 5), [5], torch_fn=rms_norm, eps=1e-5)
    family.add("rmsNorm", draw.normal(2, 3, 6), [6], torch_fn=rms_norm, weight=draw.normal(6), eps=1e-6, second=True)


def families():
    family = Family("linear-algebra")
    products(family)
    grouped(family)
    einsums(family)
    neural(family)
    return [family]
