"""How a case is computed by PyTorch and written down.

A case names an operation as Gradloom calls it, its arguments, and what PyTorch gives for them: the
outputs and, for a fixed gradient of the outputs, the gradients of the inputs. Every case draws from
a generator seeded by its own name, so a new case leaves all others as they are.
"""

import re
import zlib

import numpy as np
import torch

DTYPES = {
    torch.float32: "float32",
    torch.float64: "float64",
    torch.int32: "int32",
    torch.int64: "int32",  # Gradloom's only wide integer
    torch.uint8: "uint8",
    torch.bool: "bool",
}
FLOATS = (torch.float32, torch.float64)


class Draw:
    """Random inputs of one case. Values have few digits, which keeps the fixtures small."""

    def __init__(self, name):
        self.generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))

    def normal(self, *shape, dtype=torch.float32, scale=1.0):
        values = torch.randn(shape, generator=self.generator, dtype=torch.float64) * scale
        return self._short(values, dtype)

    def uniform(self, *shape, low=0.0, high=1.0, dtype=torch.float32):
        values = torch.rand(shape, generator=self.generator, dtype=torch.float64)
        return self._short(values * (high - low) + low, dtype)

    def integers(self, *shape, low=-5, high=6, dtype=torch.int32):
        return torch.randint(low, high, shape, generator=self.generator).to(dtype)

    def flags(self, *shape):
        return self.integers(*shape, low=0, high=2).to(torch.bool)

    @staticmethod
    def _short(values, dtype):
        return torch.round(values * 1000).div(1000).to(dtype)


def snake(name):
    return re.sub(r"[A-Z]", lambda m: "_" + m[0].lower(), name)


def const(tensor):
    """A floating input whose gradient is not asked for."""
    tensor.is_constant = True
    return tensor


def number(value):
    """JSON has no infinities and no NaN: they are written as strings."""
    if isinstance(value, float) and not np.isfinite(value):
        return "nan" if np.isnan(value) else ("inf" if value > 0 else "-inf")
    return value


def numbers(tensor):
    flat = tensor.detach().contiguous().view(-1).numpy()
    if tensor.dtype == torch.bool:
        flat = flat.astype(np.uint8)
    if tensor.dtype == torch.float32:  # the shortest digits that give the same float32
        return [number(float(np.format_float_scientific(x))) for x in flat]
    return [number(x) for x in flat.tolist()]


def spec(tensor):
    """A tensor as the fixtures hold it."""
    return {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data": numbers(tensor)}


def differentiable(tensor):
    return tensor.dtype in FLOATS and not getattr(tensor, "is_constant", False)


class Family:
    """The cases of one fixture file."""

    def __init__(self, name):
        self.name = name
        self.cases = []
        self._counts = {}

    def draw(self, op):
        """The generator of the next case of this operation."""
        self._counts[op] = self._counts.get(op, 0) + 1
        return Draw(f"{self.name}/{op}/{self._counts[op]}")

    def add(self, op, *args, torch_fn=None, note=None, gradient=True, second=False, **options):
        """Computes one case.

        `torch_fn` takes what `op` takes; without one it is PyTorch's method of the same name.
        `second` asks for gradients of the gradients too.
        """
        tensors = []

        def encode(value):
            if isinstance(value, torch.Tensor):
                tensors.append(value)
                return {"tensor": len(tensors) - 1}
            if isinstance(value, (list, tuple)):
                return [encode(v) for v in value]
            if isinstance(value, float) and not np.isfinite(value):
                return {"number": number(value)}
            return value

        call = [encode(arg) for arg in args]
        if options:
            call.append({key: encode(value) for key, value in options.items()})
        case = {"op": op, "args": call}
        if note is not None:
            case["note"] = note

        wanted = [t for t in tensors if gradient and differentiable(t)]
        for t in wanted:
            t.requires_grad_()
        if torch_fn is None:
            method = snake(op)
            result = getattr(args[0], method)(*args[1:], **{snake(k): v for k, v in options.items()})
        else:
            result = torch_fn(*args, **options)
        case["list"] = not isinstance(result, torch.Tensor)
        outputs = list(result) if case["list"] else [result]
        case["inputs"] = [{**spec(t), **({"grad": True} if t.requires_grad else {})} for t in tensors]
        case["outputs"] = [spec(t) for t in outputs]
        self._gradients(case, wanted, outputs, second)
        self.cases.append(case)

    def _gradients(self, case, wanted, outputs, second):
        smooth = [t for t in outputs if t.requires_grad]
        if not wanted or not smooth:
            for t in case["inputs"]:
                t.pop("grad", None)
            return
        draw = self.draw("gradient of " + case["op"])
        upstream = [draw.normal(*t.shape, dtype=t.dtype) for t in smooth]
        loss = sum((t * u).sum() for t, u in zip(smooth, upstream))
        grads = torch.autograd.grad(loss, wanted, create_graph=second, allow_unused=True)
        grads = [torch.zeros_like(t) if g is None else g for g, t in zip(grads, wanted)]
        for output, t in zip(case["outputs"], outputs):
            if t.requires_grad:
                output["upstream"] = numbers(upstream.pop(0))
        case["grads"] = [spec(g) for g in grads]
        if not second:
            return
        directions = [draw.normal(*g.shape, dtype=g.dtype) for g in grads]
        loss = sum((g * d).sum() for g, d in zip(grads, directions))
        if not loss.requires_grad:  # a linear operation: its gradients are constants
            return
        twice = torch.autograd.grad(loss, wanted, allow_unused=True)
        case["second"] = {
            "upstream": [numbers(d) for d in directions],
            "grads": [spec(torch.zeros_like(t) if g is None else g) for g, t in zip(twice, wanted)],
        }
