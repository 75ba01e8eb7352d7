"""Optimizers that PyTorch 1.13 does not have, written out after their papers for one parameter at a time."""

import math

import torch


class WrittenOut:
    """Groups and state, as in `torch.optim.Optimizer`; a subclass has `defaults` and `update`."""

    defaults = {}

    def __init__(self, params, **options):
        params = list(params)
        groups = params if isinstance(params[0], dict) else [{"params": params}]
        self.param_groups = [{**self.defaults, **options, **group} for group in groups]
        self.state = {}

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                g = -p.grad if group["maximize"] else p.grad
                self.update(p, g, self.state.setdefault(p, {}), group)


class Lion(WrittenOut):
    """Chen et al. 2023, Algorithm 2."""

    defaults = {"lr": 1e-4, "betas": (0.9, 0.99), "weight_decay": 0, "maximize": False}

    def update(self, p, g, state, group):
        beta1, beta2 = group["betas"]
        m = state.setdefault("exp_avg", torch.zeros_like(p))
        c = beta1 * m + (1 - beta1) * g
        p.sub_(group["lr"] * (c.sign() + group["weight_decay"] * p))
        state["exp_avg"] = beta2 * m + (1 - beta2) * g


class Muon(WrittenOut):
    """Jordan et al. 2024 with the defaults of `torch.optim.Muon`, in float64; AdamW for what is no matrix."""

    defaults = {"lr": 1e-3, "weight_decay": 0.1, "momentum": 0.95, "nesterov": True,
                "ns_coefficients": (3.4445, -4.775, 2.0315), "ns_steps": 5, "eps": 1e-7, "adjust_lr_fn": "original",
                "use_muon": True, "betas": (0.9, 0.95), "maximize": False}

    def update(self, p, g, state, group):
        rate = group["lr"]
        if group["use_muon"] and p.ndim >= 2:
            b = state.setdefault("momentum_buffer", torch.zeros_like(p))
            b.lerp_(g, 1 - group["momentum"])
            u = g.lerp(b, group["momentum"]) if group["nesterov"] else b
            step = self.orthogonal(u.reshape(len(u), -1).double(), group)
            rows, columns = step.shape
            if group["adjust_lr_fn"] == "original":
                rate *= math.sqrt(max(1, rows / columns))
            else:
                rate *= 0.2 * math.sqrt(max(rows, columns))
            step = step.reshape(p.shape)
        else:
            beta1, beta2 = group["betas"]
            m = state.setdefault("exp_avg", torch.zeros_like(p))
            v = state.setdefault("exp_avg_sq", torch.zeros_like(p))
            t = state["step"] = state.get("step", 0) + 1
            m.lerp_(g, 1 - beta1)
            v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
            step = (m / (1 - beta1 ** t)) / ((v / (1 - beta2 ** t)).sqrt() + 1e-8)
        p.mul_(1 - group["lr"] * group["weight_decay"]).sub_((rate * step).to(p.dtype))

    @staticmethod
    def orthogonal(u, group):
        a, b, c = group["ns_coefficients"]
        x = u.T if u.shape[0] > u.shape[1] else u
        x = x / x.norm().clamp(min=group["eps"])
        for _ in range(group["ns_steps"]):
            gram = x @ x.T
            x = a * x + (b * gram + c * gram @ gram) @ x
        return x.T if u.shape[0] > u.shape[1] else x
