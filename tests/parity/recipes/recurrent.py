"""Recurrent networks: with the same weights, the outputs, the states, and gradients of all of them."""

import torch
import torch.nn as nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .case import Draw, numbers, spec


class Recurrent:
    """The cases of the networks and of the cells."""

    name = "recurrent"

    def __init__(self):
        self.cases = []

    def add(self, name, args, module, run, inputs, options=None, note=None):
        """`args` build it in Gradloom; `run` gives a flat list of outputs for the inputs."""
        draw = Draw(f"recurrent/{name}/{len(self.cases)}")
        for tensor in module.state_dict().values():
            tensor.copy_(draw.normal(*tensor.shape, scale=0.5))
        inputs = [t.requires_grad_() for t in inputs]
        outputs = run(module, *inputs)
        upstream = [draw.normal(*t.shape) for t in outputs]
        sum((o * u).sum() for o, u in zip(outputs, upstream)).backward()
        self.cases.append({
            "op": name, "args": args, "options": options or {},
            **({"note": note} if note else {}),
            "state": {key: spec(t) for key, t in module.state_dict().items()},
            "inputs": [{**spec(t), "grad": True} for t in inputs],
            "outputs": [{**spec(o), "upstream": numbers(u)} for o, u in zip(outputs, upstream)],
            "grads": [spec(t.grad) for t in inputs],
            "stateGrads": {key: spec(p.grad) for key, p in module.named_parameters()},
        })


def flat(result):
    return [t for part in result for t in (part if isinstance(part, tuple) else (part,))]


def sequence(module, x, *state):
    if not state:
        return flat(module(x))
    return flat(module(x, state if isinstance(module, nn.LSTM) else state[0]))


def packed(lengths, batch_first):
    def run(module, x, *state):
        given = pack_padded_sequence(x, torch.tensor(lengths), batch_first=batch_first, enforce_sorted=False)
        output, state = module(given, state if len(state) == 2 else state[0] if state else None)
        output, _ = pad_packed_sequence(output, batch_first=batch_first)
        return flat((output, state))
    return run


def families():
    family = Recurrent()
    draw = Draw("recurrent")
    kinds = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}
    for name, make in kinds.items():
        states = 2 if name == "LSTM" else 1

        def options(**more):
            return [{"inputSize": 3, "hiddenSize": 4, **more}]

        family.add(name, options(), make(3, 4, batch_first=True), sequence, [draw.normal(2, 5, 3)])
        family.add(name, options(batchFirst=False, bias=False), make(3, 4, bias=False), sequence,
                   [draw.normal(5, 2, 3), *(draw.normal(1, 2, 4) for _ in range(states))])
        family.add(name, options(numLayers=2, bidirectional=True),
                   make(3, 4, num_layers=2, bidirectional=True, batch_first=True), sequence,
                   [draw.normal(2, 3, 3), *(draw.normal(4, 2, 4) for _ in range(states))])
        family.add(name, options(), make(3, 4, batch_first=True), sequence, [draw.normal(4, 3)], note="no batch")
        family.add(name, options(), make(3, 4, batch_first=True), sequence, [draw.normal(2, 1, 3)], note="one step")
        family.add(name, options(numLayers=2, bidirectional=True),
                   make(3, 4, num_layers=2, bidirectional=True, batch_first=True), packed([2, 5, 1], True),
                   [draw.normal(3, 5, 3)], {"lengths": [2, 5, 1]})
        family.add(name, options(batchFirst=False), make(3, 4), packed([3, 2], False), [draw.normal(3, 2, 3)],
                   {"lengths": [3, 2]})
    family.add("RNN", [{"inputSize": 2, "hiddenSize": 3, "nonlinearity": "relu"}],
               nn.RNN(2, 3, nonlinearity="relu", batch_first=True), sequence, [draw.normal(2, 4, 2)])
    cells = {"RNNCell": nn.RNNCell, "LSTMCell": nn.LSTMCell, "GRUCell": nn.GRUCell}
    for name, make in cells.items():
        states = 2 if name == "LSTMCell" else 1

        def cell(module, x, *state):
            if not state:
                result = module(x)
            else:
                result = module(x, state if len(state) == 2 else state[0])
            return list(result) if isinstance(result, tuple) else [result]

        family.add(name, [3, 4], make(3, 4), cell, [draw.normal(2, 3)])
        family.add(name, [3, 4, {"bias": False}], make(3, 4, bias=False), cell,
                   [draw.normal(2, 3), *(draw.normal(2, 4) for _ in range(states))])
    for name, make in kinds.items():
        states = 2 if name == "LSTM" else 1
        family.add(name, [{"inputSize": 3, "hiddenSize": 4, "numLayers": 2, "bidirectional": True}],
                   make(3, 4, num_layers=2, bidirectional=True, batch_first=True), packed([4, 1, 3], True),
                   [draw.normal(3, 4, 3), *(draw.normal(4, 3, 4) for _ in range(states))],
                   {"lengths": [4, 1, 3]}, note="from a state")
    return [family]
