"""Writes the files that the tests read: by PyTorch, by NumPy, and safetensors by its description alone.

    python3 packages/checkpoint/test/make_fixtures.py

needs PyTorch and NumPy (Debian: `apt-get install python3-torch python3-numpy`); reading the files needs neither.
"""

import collections
import json
import os
import pathlib
import pickle
import struct
import zipfile

import numpy as np
import torch

FOLDER = pathlib.Path(__file__).parent / "fixtures"


def model():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2, bias=False))
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01, amsgrad=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    for _ in range(3):
        optimizer.zero_grad()
        net(torch.randn(5, 3)).square().mean().backward()
        optimizer.step()
        schedule.step()
    return net, optimizer, schedule


def plain(value):
    """What the reader is to give, as JSON: tensors as dtype, shape and numbers."""
    if isinstance(value, torch.Tensor):
        dtype = {torch.float64: "float64", torch.uint8: "uint8", torch.bool: "bool"}.get(value.dtype)
        dtype = dtype or ("float32" if value.is_floating_point() else "int32")
        return {"dtype": dtype, "shape": list(value.shape), "data": value.detach().double().flatten().tolist()}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def pt(name, value):
    torch.save(value, FOLDER / f"{name}.pt")
    (FOLDER / f"{name}.json").write_text(json.dumps(plain(value)))


def safetensors(name, entries, metadata):
    header, data = {"__metadata__": metadata}, b""
    for key, (dtype, shape, values) in entries.items():
        header[key] = {"dtype": dtype, "shape": shape, "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    (FOLDER / f"{name}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + data)


class Code:
    """What runs a command when it is unpickled carelessly."""

    def __reduce__(self):
        return os.system, ("touch gradloom-was-here",)


def main():
    FOLDER.mkdir(exist_ok=True)
    net, optimizer, schedule = model()
    pt("state-dict", net.state_dict())
    pt("training", {"model": net.state_dict(), "optimizer": optimizer.state_dict(),
                    "schedule": schedule.state_dict(), "epoch": 3, "loss": 0.25, "done": False, "note": None,
                    "sizes": (1, 2, [3]), "big": 2 ** 40, "negative": -7, "text": "grüße"})
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    pt("kinds", {
        "half": torch.tensor([1.0, -0.5, 65504.0, 6e-8, 0.1], dtype=torch.float16),
        "bfloat": torch.tensor([1.0, -3.140625, 1e38], dtype=torch.bfloat16),
        "double": torch.tensor([0.1, 1e300], dtype=torch.float64),
        "long": torch.tensor([[1, -2], [2 ** 31 - 1, -2 ** 31]]),
        "int": torch.tensor([7], dtype=torch.int32), "short": torch.tensor([-300], dtype=torch.int16),
        "char": torch.tensor([-1], dtype=torch.int8), "byte": torch.tensor([255], dtype=torch.uint8),
        "bool": torch.tensor([True, False]), "scalar": torch.tensor(2.5), "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "transposed": base.t(), "slice": base[1:, ::2], "row": base[2], "expanded": torch.tensor([1.0, 2.0]).expand(3, 2),
    })
    tied = torch.nn.Parameter(torch.ones(2))
    pt("tied", {"a": tied, "b": tied})
    torch.save(net, FOLDER / "whole-model.pt")
    torch.save({"x": torch.tensor([2 ** 40])}, FOLDER / "long-too-large.pt")
    torch.save({"x": torch.zeros(2, dtype=torch.complex64)}, FOLDER / "complex.pt")
    torch.save({"x": Code()}, FOLDER / "code.pt")
    torch.save(collections.Counter("aab"), FOLDER / "counter.pt")
    torch.save({"x": torch.ones(2)}, FOLDER / "old-format.pt", _use_new_zipfile_serialization=False)

    f32, bf16 = np.array([[1, 2.5], [-3, np.inf]], "<f4"), np.array([0x3F80, 0xC049], "<u2")
    safetensors("kinds", {
        "f64": ("F64", [2], np.array([0.1, 2], "<f8").tobytes()), "f32": ("F32", [2, 2], f32.tobytes()),
        "f16": ("F16", [2], np.array([0.5, -2], "<f2").tobytes()), "bf16": ("BF16", [2], bf16.tobytes()),
        "i64": ("I64", [2], np.array([-5, 9], "<i8").tobytes()), "i32": ("I32", [1], np.array([7], "<i4").tobytes()),
        "u8": ("U8", [3], bytes([0, 1, 255])), "bool": ("BOOL", [2], bytes([1, 0])),
        "scalar": ("F32", [], np.array(4, "<f4").tobytes()), "empty": ("F32", [0, 2], b""),
    }, {"format": "pt", "note": "grüße"})
    safetensors("foreign", {"x": ("I16", [2], bytes(4)), "y": ("F8_E4M3", [2], bytes(2))}, {})
    safetensors("long-too-large", {"x": ("I64", [1], np.array([2 ** 31], "<i8").tobytes())}, {})

    arrays = {
        "f8": np.array([0.1, 2]), "f4": f32, "f2": np.array([0.5, -2], "f2"), "i8": np.array([[1, -2]]),
        "i4": np.array([3], "i4"), "i2": np.array([-300], "i2"), "i1": np.array([-1], "i1"), "u2": np.array([65535], "u2"),
        "u1": np.array([255], "u1"), "b1": np.array([True, False]), "scalar": np.array(2.5), "empty": np.zeros((0, 3)),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "zeros": np.zeros(1000, "f4"),
    }
    np.savez(FOLDER / "stored.npz", **arrays)
    np.savez_compressed(FOLDER / "deflated.npz", **arrays)
    np.save(FOLDER / "array.npy", f32)
    np.save(FOLDER / "objects.npy", np.array([{}], dtype=object))
    np.save(FOLDER / "big-endian.npy", f32.astype(">f4"))
    np.save(FOLDER / "complex.npy", np.zeros(2, "c8"))
    # A million dictionaries in a file of a kilobyte.
    with zipfile.ZipFile(FOLDER / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr(zipfile.ZipInfo("archive/data.pkl"), b"\x80\x02" + 2 ** 20 * b"}" + b".", zipfile.ZIP_DEFLATED)
    (FOLDER / "code.pkl").write_bytes(pickle.dumps(Code(), 2))


if __name__ == "__main__":
    main()
