"""Pictures of sounds: torch.stft, and above it the formulas of torchaudio (which Debian does not have), in float64."""

import math

import numpy as np
import torch

from .case import Draw, spec


def stft(x, n_fft=400, win_length=None, hop_length=None, power=2.0, normalized=False, center=True, pad_mode="reflect"):
    """torchaudio.functional.spectrogram."""
    win_length = win_length or n_fft
    window = torch.hann_window(win_length, dtype=torch.float64)
    flat = x.reshape(-1, x.shape[-1])
    out = torch.stft(flat, n_fft, hop_length or win_length // 2, win_length, window, center=center,
                     pad_mode=pad_mode, return_complex=True)
    if normalized:
        out = out / window.pow(2).sum().sqrt()
    out = out.abs().pow(power)
    return out.reshape(x.shape[:-1] + out.shape[1:])


def hz_to_mel(hz, scale):
    if scale == "htk":
        return 2595.0 * math.log10(1.0 + hz / 700.0)
    return hz / (200.0 / 3) if hz < 1000.0 else 15.0 + math.log(hz / 1000.0) / (math.log(6.4) / 27.0)


def mel_to_hz(mels, scale):
    if scale == "htk":
        return 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    linear = (200.0 / 3) * mels
    return np.where(mels >= 15.0, 1000.0 * np.exp(math.log(6.4) / 27.0 * (mels - 15.0)), linear)


def mel_filters(n_freqs, sample_rate=16000, n_mels=128, f_min=0.0, f_max=None, norm=None, mel_scale="htk"):
    """torchaudio.functional.melscale_fbanks, [n_freqs, n_mels]."""
    f_max = f_max if f_max is not None else sample_rate / 2
    freqs = np.linspace(0, sample_rate // 2, n_freqs)
    points = mel_to_hz(np.linspace(hz_to_mel(f_min, mel_scale), hz_to_mel(f_max, mel_scale), n_mels + 2), mel_scale)
    width = np.diff(points)
    slopes = points[None] - freqs[:, None]
    filters = np.maximum(0, np.minimum(-slopes[:, :-2] / width[:-1], slopes[:, 2:] / width[1:]))
    if norm == "slaney":
        filters *= 2.0 / (points[2:] - points[:-2])
    return torch.from_numpy(filters)


def camel(options):
    return {"".join(w if i == 0 else w.title() for i, w in enumerate(k.split("_"))): v for k, v in options.items()}


class Audio:
    """Spectrograms, and mel spectrograms in decibels as well."""

    name = "audio"

    def __init__(self):
        self.cases = []

    def add(self, op, shape, **options):
        x = Draw(f"audio/{op}/{len(self.cases)}").uniform(*shape, low=-1, high=1).double().requires_grad_()
        mel_keys = ("sample_rate", "n_mels", "f_min", "f_max", "norm", "mel_scale")
        y = stft(x, **{k: v for k, v in options.items() if k not in mel_keys})
        if op == "melSpectrogram":
            filters = mel_filters(y.shape[-2], **{k: v for k, v in options.items() if k in mel_keys})
            y = torch.matmul(y.transpose(-1, -2), filters).transpose(-1, -2)
        y.log1p().sum().backward()
        self.cases.append({
            "op": op, "options": camel(options), "input": spec(x.float().detach()),
            "output": spec(y.float().detach()), "grad": spec(x.grad.float()),
        })


def families():
    family = Audio()
    family.add("spectrogram", (900,))
    family.add("spectrogram", (2, 300), n_fft=64)
    family.add("spectrogram", (300,), n_fft=64, hop_length=10, win_length=40, power=1.0)
    family.add("spectrogram", (2, 2, 120), n_fft=33, hop_length=7, normalized=True)
    family.add("spectrogram", (200,), n_fft=50, center=False)
    family.add("spectrogram", (60,), n_fft=64, pad_mode="constant", power=3.0)
    family.add("melSpectrogram", (1000,), n_mels=40)
    family.add("melSpectrogram", (2, 400), n_fft=128, hop_length=64, n_mels=16, sample_rate=8000)
    family.add("melSpectrogram", (400,), n_fft=128, n_mels=20, mel_scale="slaney", norm="slaney")
    family.add("melSpectrogram", (400,), n_fft=256, hop_length=50, n_mels=10, f_min=50.0, f_max=3000.0, sample_rate=11025)
    family.add("melSpectrogram", (300,), n_fft=128, n_mels=12, norm="slaney", power=1.0)
    family.add("spectrogram", (20,), n_fft=8, hop_length=3, win_length=1, normalized=True)
    return [family]
