"""Views, joining, splitting, padding."""

import torch
import torch.nn.functional as F

from .case import Family


def views(family):
    def add(op, shape, *args, torch_fn=None, **options):
        family.add(op, family.draw(op).normal(*shape), *args, torch_fn=torch_fn, **options)

    for op in ("reshape", "view"):
        add(op, (2, 6), [3, 4])
        add(op, (2, 6), [2, -1, 3])
        add(op, (), [1, 1])
    family.add("reshape", family.draw("reshape").normal(3, 4).t().contiguous().t(), [12])
    add("flatten", (2, 3, 4))
    add("flatten", (2, 3, 4), 1)
    add("flatten", (2, 3, 4, 2), 1, 2)
    add("unflatten", (2, 12), 1, [3, -1], torch_fn=lambda x, dim, sizes: x.unflatten(dim, sizes))
    add("squeeze", (1, 3, 1))
    add("squeeze", (1, 3, 1), 0)
    add("squeeze", (1, 3, 1), -1)
    add("squeeze", (1, 3, 1), 1)
    add("unsqueeze", (3, 4), 0)
    add("unsqueeze", (3, 4), -1)
    add("unsqueeze", (3, 4), 1)
    add("transpose", (2, 3, 4), 0, 2)
    add("transpose", (2, 3, 4), -1, -2)
    add("permute", (2, 3, 4), [2, 0, 1])
    add("permute", (2, 3, 4), [0, -1, 1])
    add("t", (3, 4))
    add("t", (3,))
    add("expand", (3, 1), [3, 4])
    add("expand", (3, 1), [2, -1, 4])
    add("expand", (), [2, 2])
    add("repeat", (2, 3), [2, 2])
    add("repeat", (3,), [2, 1, 2])
    add("repeatInterleave", (2, 3), 2, 1)
    add("repeatInterleave", (2, 3), 3, 0)
    add("flip", (3, 4), [0])
    add("flip", (2, 3, 4), [0, -1])
    add("roll", (3, 4), [1], [0])
    add("roll", (3, 4), [1, -2], [0, 1])
    add("select", (3, 4), 0, 1)
    add("select", (3, 4, 2), 1, -1)
    add("narrow", (3, 5), 1, 1, 3)
    add("diagonal", (3, 4))
    add("diagonal", (3, 3), 1)
    add("diagonal", (2, 3, 4), -1, 1, 2)
    for op in ("tril", "triu"):
        add(op, (4, 4))
        add(op, (3, 5))
        add(op, (2, 3, 3))
        add(op, (4, 4), 1)
        add(op, (4, 4), -2)
    family.add("permute", family.draw("permute").integers(2, 3, 2), [1, 2, 0])
    family.add("flip", family.draw("flip").flags(5), [0])


def slices(family):
    def cut(x, dim, start=0, end=None, step=1):
        index = [slice(None)] * x.dim()
        index[dim] = slice(start, end, step)
        return x[tuple(index)]

    draw = family.draw("slice")
    family.add("slice", draw.normal(5, 4), 0, 1, 4, torch_fn=cut)
    family.add("slice", draw.normal(5, 4), 1, 2, torch_fn=cut)
    family.add("slice", draw.normal(5, 4), -1, -3, -1, torch_fn=cut)
    family.add("slice", draw.normal(7, 2), 0, 1, 7, torch_fn=cut, step=2)
    family.add("slice", draw.normal(5, 4), 0, 3, 100, torch_fn=cut, note="past the end")
    family.add("slice", draw.normal(5, 4), 0, 3, 3, torch_fn=cut, note="empty")


def parts(family):
    draw = family.draw("split")
    family.add("split", draw.normal(5, 4), 2, 0)
    family.add("split", draw.normal(3, 6), [1, 2, 3], 1)
    family.add("chunk", draw.normal(5, 4), 2, 1)
    family.add("chunk", draw.normal(5, 4), 3, 0)
    family.add("unbind", draw.normal(3, 4), 0)
    family.add("unbind", draw.normal(3, 2), 1)


def joined(family):
    draw = family.draw("cat")
    cat, stack = torch.cat, torch.stack
    family.add("cat", [draw.normal(2, 3), draw.normal(1, 3), draw.normal(4, 3)], 0, torch_fn=cat)
    family.add("cat", [draw.normal(2, 3), draw.normal(2, 5)], 1, torch_fn=cat)
    family.add("cat", [draw.normal(2, 1, 3), draw.normal(2, 2, 3)], -2, torch_fn=cat)
    family.add("cat", [draw.integers(3), draw.normal(2)], 0, torch_fn=cat, note="promotes")
    family.add("cat", [draw.integers(3), draw.integers(2)], 0, torch_fn=cat)
    x = draw.normal(2, 2)
    family.add("cat", [x, x.clone()], 0, torch_fn=cat, second=True)
    family.add("stack", [draw.normal(2, 3), draw.normal(2, 3)], 0, torch_fn=stack)
    family.add("stack", [draw.normal(2, 3), draw.normal(2, 3)], 1, torch_fn=stack)
    family.add("stack", [draw.normal(2, 3), draw.normal(2, 3), draw.normal(2, 3)], -1, torch_fn=stack)
    family.add("stack", [draw.normal(), draw.normal()], 0, torch_fn=stack)


def padded(family):
    def pad(x, sizes, value=0):
        return F.pad(x, sizes, value=value)

    draw = family.draw("pad")
    family.add("pad", draw.normal(2, 3), [1, 2], torch_fn=pad)
    family.add("pad", draw.normal(2, 3), [1, 0, 2, 1], torch_fn=pad, value=-1.5)
    family.add("pad", draw.normal(2, 4), [-1, 2], torch_fn=pad, note="crops")
    family.add("pad", draw.integers(2, 3), [0, 1], torch_fn=pad, value=7)


def conversions(family):
    types = {"float32": torch.float32, "float64": torch.float64, "int32": torch.int32,
             "uint8": torch.uint8, "bool": torch.bool}

    def to(x, name):
        return x.to(types[name])

    for target in types:
        draw = family.draw("to")
        values = draw.uniform(6, low=0, high=9)
        family.add("to", values, target, torch_fn=to)
        family.add("to", draw.integers(5, low=0, high=9), target, torch_fn=to)
        family.add("to", draw.flags(4), target, torch_fn=to)
    family.add("to", torch.tensor([-1.9, -0.5, 0.5, 1.9]), "int32", torch_fn=to, note="cuts fractions")
    family.add("to", torch.tensor([300, -1], dtype=torch.int32), "uint8", torch_fn=to, note="wraps")
    family.add("to", torch.tensor([0.0, -0.0, 0.1, float("nan")]), "bool", torch_fn=to, gradient=False)
    family.add("clone", family.draw("clone").normal(2, 3))


def chains(family):
    """Views of views: what index arithmetic has to get right."""
    def chain(x):
        return x.permute(2, 0, 1)[1:, :, ::2].flip(0).reshape(-1, 2).t()

    def windows(x):
        return F.pad(x, (1, 1)).unsqueeze(0).expand(2, -1, -1).transpose(1, 2)[:, 1:4]

    def attention_heads(x):
        return x.view(2, 5, 2, 3).transpose(1, 2).reshape(4, 5, 3).transpose(1, 2)

    draw = family.draw("views")
    family.add("viewChain", draw.normal(3, 4, 5), torch_fn=chain)
    family.add("padChain", draw.normal(3, 4), torch_fn=windows)
    family.add("headsChain", draw.normal(2, 5, 6), torch_fn=attention_heads)


def families():
    family = Family("shape")
    views(family)
    slices(family)
    parts(family)
    joined(family)
    padded(family)
    conversions(family)
    chains(family)
    return [family]
