"""Writes the fixtures of the parity tests: what PyTorch gives, for fixed inputs.

    python3 tests/parity/make_fixtures.py

needs PyTorch and NumPy (Debian: `apt-get install python3-torch python3-numpy`); reading the fixtures
needs neither. Inputs are drawn from seeds made of the cases' names, so the same PyTorch writes the
same bytes. The recipes, one module a family of operations, say what is computed.
"""

import json
import pathlib
import sys

import torch

sys.dont_write_bytecode = True
from recipes import (  # noqa: E402
    audio, convolutional, creation, edges, elementwise, gpt, indexing, linear_algebra, losses, modules, moe, optimizers, recurrent,
    reductions, schedules, shape, transformer, windows,
)

FOLDER = pathlib.Path(__file__).parent / "fixtures"
RECIPES = (
    creation, edges, elementwise, indexing, reductions, shape, linear_algebra, losses, modules, optimizers, schedules,
    recurrent, convolutional, transformer, gpt, moe, windows, audio,
)


def write(family):
    """One case a line: readable as text, and a change of one case is a change of one line."""
    head = {"torch": torch.__version__, "recipe": "tests/parity/make_fixtures.py", "family": family.name}
    lines = ",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in family.cases)
    text = f'{json.dumps(head)[:-1]}, "cases": [\n{lines}\n]}}\n'
    path = FOLDER / f"{family.name}.json"
    path.write_text(text)
    if hasattr(family, "saved"):
        torch.save(family.saved, FOLDER / f"{family.name}.pt")
    return len(text)


def main():
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    total = 0
    for recipe in RECIPES:
        for family in recipe.families():
            size = write(family)
            total += size
            print(f"{family.name:16} {len(family.cases):4} cases {size / 1024:7.1f} KB")
    print(f"{'all':16} {'':10} {total / 1024:7.1f} KB")


if __name__ == "__main__":
    main()
