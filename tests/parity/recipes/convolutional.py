"""Convolutional layers and networks: outputs, gradients of everything, and buffers afterwards."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from .case import Draw, numbers, spec


class Convolutional:
    """The cases of `@gradloom/cnn` and `@gradloom/unet`."""

    name = "convolutional"

    def __init__(self):
        self.cases = []

    def add(self, name, args, module, x, training=True, note=None):
        """`args` build it in Gradloom; `module` is PyTorch's."""
        draw = Draw(f"convolutional/{name}/{len(self.cases)}")
        module.train(training)
        with torch.no_grad():
            for key, tensor in module.state_dict().items():
                if not tensor.dtype.is_floating_point:
                    tensor.fill_(3)
                elif key.endswith("running_var"):
                    tensor.copy_(draw.normal(*tensor.shape).square() + 0.5)
                elif tensor.ndim == 1 and key.endswith("weight"):
                    tensor.copy_(1 + draw.normal(*tensor.shape, scale=0.2))
                else:
                    tensor.copy_(draw.normal(*tensor.shape, scale=0.4))
        state = {key: spec(integers(t)) for key, t in module.state_dict().items()}
        x = x.requires_grad_()
        output = module(x)
        upstream = draw.normal(*output.shape)
        (output * upstream).sum().backward()
        self.cases.append({
            "op": name, "args": args, "training": training, **({"note": note} if note else {}),
            "state": state,
            "input": {**spec(x), "grad": True},
            "output": {**spec(output), "upstream": numbers(upstream)},
            "grad": spec(x.grad),
            "stateGrads": {key: spec(p.grad) for key, p in module.named_parameters()},
            "buffers": {key: spec(integers(t)) for key, t in module.named_buffers()},
        })


def integers(tensor):
    return tensor.clone() if tensor.dtype.is_floating_point else tensor.to(torch.int32)


class CNN(nn.Module):
    def __init__(self, channels, hidden, classes, pool):
        super().__init__()
        layers = []
        for i, o in zip(channels, channels[1:]):
            layers += [nn.Conv2d(i, o, 3, padding=1), nn.BatchNorm2d(o), nn.ReLU(), nn.MaxPool2d(2)]
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(pool))
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(channels[-1] * pool * pool, hidden), nn.ReLU(),
                                        nn.Dropout(0.0), nn.Linear(hidden, classes))

    def forward(self, x):
        return self.classifier(self.features(x))


class BasicBlock(nn.Module):
    def __init__(self, i, o, stride=1):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(o)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(o)
        self.downsample = None
        if stride != 1 or i != o:
            self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, stride, bias=False), nn.BatchNorm2d(o))

    def forward(self, x):
        around = x if self.downsample is None else self.downsample(x)
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + around)


class ResNet(nn.Module):
    def __init__(self, channels, base, classes, blocks, small):
        super().__init__()
        self.small = small
        self.conv1 = nn.Conv2d(channels, base, 3, 1, 1, bias=False) if small else nn.Conv2d(
            channels, base, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(base)
        before = base
        for stage, count in enumerate(blocks):
            out = base * 2 ** stage
            layers = [BasicBlock(before if b == 0 else out, out, 2 if stage and b == 0 else 1) for b in range(count)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*layers))
            before = out
        self.fc = nn.Linear(before, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        if not self.small:
            x = F.max_pool2d(x, 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class DoubleConv(nn.Module):
    def __init__(self, i, o, mid=None):
        super().__init__()
        mid = mid or o
        self.double_conv = nn.Sequential(
            nn.Conv2d(i, mid, 3, padding=1, bias=False), nn.BatchNorm2d(mid), nn.ReLU(),
            nn.Conv2d(mid, o, 3, padding=1, bias=False), nn.BatchNorm2d(o), nn.ReLU())

    def forward(self, x):
        return self.double_conv(x)


class Down(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.maxpool_conv = nn.Sequential(nn.MaxPool2d(2), DoubleConv(i, o))

    def forward(self, x):
        return self.maxpool_conv(x)


class Up(nn.Module):
    def __init__(self, i, o, bilinear):
        super().__init__()
        if bilinear:
            self.up = nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)
            self.conv = DoubleConv(i, o, i // 2)
        else:
            self.up = nn.ConvTranspose2d(i, i // 2, 2, 2)
            self.conv = DoubleConv(i, o)

    def forward(self, x, skip):
        x = self.up(x)
        dy, dx = skip.shape[2] - x.shape[2], skip.shape[3] - x.shape[3]
        x = F.pad(x, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.conv(torch.cat([skip, x], 1))


class OutConv(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.conv = nn.Conv2d(i, o, 1)

    def forward(self, x):
        return self.conv(x)


class UNet(nn.Module):
    def __init__(self, channels, classes, base, depth, bilinear=False):
        super().__init__()
        factor = 2 if bilinear else 1
        self.depth = depth
        self.inc = DoubleConv(channels, base)
        for level in range(1, depth + 1):
            out = base * 2 ** level // (factor if level == depth else 1)
            setattr(self, f"down{level}", Down(base * 2 ** (level - 1), out))
        for i in range(1, depth + 1):
            level = depth - i
            out = base * 2 ** level // (factor if level else 1)
            setattr(self, f"up{i}", Up(base * 2 ** (level + 1), out, bilinear))
        self.outc = OutConv(base, classes)

    def forward(self, x):
        levels = [self.inc(x)]
        for level in range(1, self.depth + 1):
            levels.append(getattr(self, f"down{level}")(levels[-1]))
        y = levels[-1]
        for i in range(1, self.depth + 1):
            y = getattr(self, f"up{i}")(y, levels[self.depth - i])
        return self.outc(y)


def layers(family):
    draw = Draw("convolutional layers")
    x = lambda *shape: draw.normal(*shape)
    family.add("Conv1d", [3, 4, 3], nn.Conv1d(3, 4, 3), x(2, 3, 8))
    family.add("Conv1d", [4, 6, 3, {"stride": 2, "padding": 2, "dilation": 2, "groups": 2, "bias": False}],
               nn.Conv1d(4, 6, 3, 2, 2, 2, 2, False), x(2, 4, 9))
    family.add("Conv2d", [3, 4, 3, {"padding": 1}], nn.Conv2d(3, 4, 3, padding=1), x(2, 3, 5, 6))
    family.add("Conv2d", [3, 4, [3, 2], {"stride": [2, 1], "padding": "valid", "bias": False}],
               nn.Conv2d(3, 4, (3, 2), (2, 1), bias=False), x(1, 3, 7, 5))
    family.add("Conv2d", [4, 4, 3, {"padding": "same", "dilation": 2, "groups": 4}],
               nn.Conv2d(4, 4, 3, padding="same", dilation=2, groups=4), x(2, 4, 6, 6))
    family.add("ConvTranspose2d", [4, 3, 2, {"stride": 2}], nn.ConvTranspose2d(4, 3, 2, 2), x(2, 4, 3, 4))
    family.add("ConvTranspose2d", [4, 4, 3, {"stride": 2, "padding": 1, "outputPadding": 1, "groups": 2, "bias": False}],
               nn.ConvTranspose2d(4, 4, 3, 2, 1, 1, 2, False), x(1, 4, 3, 3))
    family.add("ConvTranspose2d", [2, 3, 3, {"dilation": 2}], nn.ConvTranspose2d(2, 3, 3, dilation=2), x(1, 2, 3, 4))
    family.add("MaxPool2d", [2], nn.MaxPool2d(2), x(2, 3, 5, 6))
    family.add("MaxPool2d", [3, {"stride": 2, "padding": 1}], nn.MaxPool2d(3, 2, 1), x(2, 2, 7, 6))
    family.add("MaxPool2d", [2, {"stride": 2, "ceilMode": True}], nn.MaxPool2d(2, 2, ceil_mode=True), x(1, 2, 5, 5))
    family.add("AvgPool2d", [3, {"stride": 2, "padding": 1, "countIncludePad": False}],
               nn.AvgPool2d(3, 2, 1, count_include_pad=False), x(2, 2, 6, 5))
    family.add("AdaptiveAvgPool2d", [[2, 3]], nn.AdaptiveAvgPool2d((2, 3)), x(2, 2, 5, 7))
    family.add("AdaptiveMaxPool2d", [3], nn.AdaptiveMaxPool2d(3), x(2, 2, 7, 5))
    for training in (True, False):
        note = "in training" if training else "in evaluation"
        family.add("BatchNorm1d", [4], nn.BatchNorm1d(4), x(6, 4), training, note)
        family.add("BatchNorm1d", [3, {"momentum": 0.3, "eps": 0.01}], nn.BatchNorm1d(3, 0.01, 0.3), x(2, 3, 5), training, note)
        family.add("BatchNorm2d", [3], nn.BatchNorm2d(3), x(2, 3, 4, 5), training, note)
        family.add("BatchNorm2d", [3, {"momentum": None}], nn.BatchNorm2d(3, momentum=None), x(2, 3, 4, 4), training, note)
        family.add("BatchNorm2d", [2, {"affine": False}], nn.BatchNorm2d(2, affine=False), x(3, 2, 3, 3), training, note)
        family.add("BatchNorm2d", [2, {"trackRunningStats": False}], nn.BatchNorm2d(2, track_running_stats=False),
                   x(3, 2, 3, 3), training, note)
    family.add("GroupNorm", [2, 4], nn.GroupNorm(2, 4), x(2, 4, 3, 3))
    family.add("GroupNorm", [4, 4, {"affine": False}], nn.GroupNorm(4, 4, affine=False), x(2, 4, 5))
    family.add("Dropout2d", [0.4], nn.Dropout2d(0.4), x(2, 3, 2, 2), False, "in evaluation")
    family.add("Upsample", [{"scaleFactor": 2}], nn.Upsample(scale_factor=2), x(1, 2, 3, 4))
    family.add("Upsample", [{"scaleFactor": 2, "mode": "bilinear", "alignCorners": True}],
               nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), x(1, 2, 3, 4))
    family.add("Upsample", [{"size": [5, 7], "mode": "bilinear"}], nn.Upsample((5, 7), mode="bilinear"), x(1, 2, 3, 4))


def networks(family):
    draw = Draw("convolutional networks")
    x = lambda *shape: draw.normal(*shape)
    family.add("CNN", [{"inChannels": 2, "numClasses": 3, "channels": [4, 6], "hidden": 5, "dropout": 0, "poolSize": 2}],
               CNN([2, 4, 6], 5, 3, 2), x(3, 2, 9, 8))
    family.add("UNet", [{"inChannels": 2, "numClasses": 3, "baseChannels": 2, "depth": 2}],
               UNet(2, 3, 2, 2), x(2, 2, 9, 11))
    family.add("BasicBlock", [3, 4, {"stride": 2}], BasicBlock(3, 4, 2), x(2, 3, 6, 6))
    family.add("ResNet", [{"inChannels": 1, "numClasses": 3, "baseChannels": 2, "blocks": [1, 1, 1, 1], "stem": "small"}],
               ResNet(1, 2, 3, [1, 1, 1, 1], True), x(2, 1, 8, 8), False, "in evaluation")
    family.add("ResNet", [{"inChannels": 3, "numClasses": 4, "baseChannels": 2, "blocks": [1, 1, 1, 1]}],
               ResNet(3, 2, 4, [1, 1, 1, 1], False), x(1, 3, 32, 32), False, "in evaluation")
    family.add("UNet", [{"inChannels": 1, "numClasses": 2, "baseChannels": 2, "depth": 2, "bilinear": True}],
               UNet(1, 2, 2, 2, True), x(2, 1, 10, 7), False, "in evaluation")


def families():
    family = Convolutional()
    layers(family)
    networks(family)
    return [family]
