"""PyTorch's side of a measurement: what src/serve.ts is for engines in JavaScript.

    python3 contestant.py --threads 2
    python3 contestant.py --threads 1 --first-loss
"""

import argparse
import itertools
import json
import math
import os
import resource
import sys
import time

parser = argparse.ArgumentParser()
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--first-loss", action="store_true")
options = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(options.threads)

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402
from language import WORKLOADS as LANGUAGE  # noqa: E402
from networks import WORKLOADS as NETWORKS  # noqa: E402
from optimizers import WORKLOADS as OPTIMIZERS  # noqa: E402
from windows import WORKLOADS as WINDOWS  # noqa: E402

torch.set_num_threads(options.threads)
torch.manual_seed(0)
SHORTEST_SAMPLE = 1e-3  # seconds


def curve():
    x = torch.linspace(-1, 1, 256)[:, None]
    return x, 3 * x * x + 5


def curve_trainer():
    x, y = curve()
    net = nn.Sequential(nn.Linear(1, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    adam = torch.optim.Adam(net.parameters(), 1e-2)

    def step():
        adam.zero_grad()
        loss = F.mse_loss(net(x), y)
        loss.backward()
        adam.step()
        return loss

    return step


def dnn():
    facts = {}

    def run():
        step = curve_trainer()
        for _ in range(1000):
            loss = step()
        facts["loss"] = loss.item()

    return run, facts


def mlp_step(rows=lambda: 128, most=128):
    net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    adam = torch.optim.Adam(net.parameters(), 1e-3)
    x, y = torch.randn(most, 784), torch.randint(0, 10, (most,))

    def run():
        count = rows()
        adam.zero_grad()
        F.cross_entropy(net(x[:count]), y[:count]).backward()
        adam.step()

    return run, {}


SIZES = 307


def unrolled(steps, most):
    x = torch.randn(most, 16, 32)
    u, w = ((torch.randn(size, 64) * 0.1).requires_grad_() for size in (32, 64))

    def run():
        h = torch.zeros(16, 64)
        for t in range(steps()):
            h = torch.tanh(x[t] @ u + h @ w)
        u.grad = w.grad = None
        (h * h).mean().backward()

    return run, {}


def varying(first):
    numbers = itertools.count()
    return lambda: first + 97 * next(numbers) % SIZES


def without_gradients(fn):
    def run():
        with torch.no_grad():
            fn()

    return run, {}


def softmax():
    x = torch.randn(1024, 1024)
    return without_gradients(lambda: torch.softmax(x, -1))


def layer_norm():
    x, g, b = torch.randn(4096, 768), torch.randn(768), torch.randn(768)
    return without_gradients(lambda: F.layer_norm(x, (768,), g, b))


def gelu(approximate):
    x = torch.randn(4 << 20)
    return without_gradients(lambda: F.gelu(x * 1.5 + 0.5, approximate=approximate) + x)


def matmul(n, layout):
    a, b, c = torch.randn(n, n), torch.randn(n, n), torch.empty(n, n)
    left = a.t() if layout[0] == "t" else a
    right = b.t() if layout[1] == "t" else b
    return without_gradients(lambda: torch.mm(left, right, out=c))


WORKLOADS = {
    **WINDOWS,
    **NETWORKS,
    **LANGUAGE,
    **OPTIMIZERS,
    "dnn": dnn,
    "dnn-compiled": dnn,
    "mlp-step": mlp_step,
    "shapes-batch": lambda: mlp_step(varying(64), 64 + SIZES),
    "shapes-unrolled": lambda: unrolled(varying(50), 50 + SIZES),
    "softmax": softmax,
    "layer-norm": layer_norm,
    "gelu-erf": lambda: gelu("none"),
    "gelu-tanh": lambda: gelu("tanh"),
}
for size in (256, 512, 1024):
    for letters in ("nn", "nt", "tn", "tt"):
        WORKLOADS[f"matmul-{size}-{letters}"] = lambda n=size, layout=letters: matmul(n, layout)


def timed(run, repeat):
    start = time.perf_counter()
    for _ in range(repeat):
        run()
    return time.perf_counter() - start


def warm(run, budget):
    """Three times at least; work that takes seconds is warm after once."""
    start, fastest, count = time.perf_counter(), math.inf, 0
    while count < 3 or time.perf_counter() - start < budget:
        if count > 0 and time.perf_counter() - start > 2:
            break
        fastest = min(fastest, timed(run, 1))
        count += 1
    return max(1, math.ceil(SHORTEST_SAMPLE / fastest))


def sample(run, repeat, budget):
    times, start = [], time.perf_counter()
    while not times or (time.perf_counter() - start < budget and len(times) < 500):
        times.append(timed(run, repeat) / repeat * 1000)
    return times


def answer(message):
    print("reply " + json.dumps(message), flush=True)


def serve():
    name, run, facts, repeat = None, None, {}, 1
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["workload"] not in WORKLOADS:
                answer({"unsupported": True})
                continue
            if request["workload"] != name:
                name, run = None, None
                run, facts = WORKLOADS[request["workload"]]()
                repeat = warm(run, request["warmUp"] / 1000)
                name = request["workload"]
            times = sample(run, repeat, request["budget"] / 1000)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
            answer({"times": times, "facts": facts, "peak": peak})
        except Exception as error:  # the parent shows it and goes on with the others
            answer({"error": str(error)})


if options.first_loss:
    print(f"first loss {curve_trainer()().item()}", flush=True)
else:
    serve()
