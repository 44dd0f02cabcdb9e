"""PyTorch's training step of the same network, for bench/training.mjs: SPEC.md's SCConv as one writes it in PyTorch.

One JSON document a line: the first on stdin says what to build, every further one asks for a number of steps.
"""

import json
import platform
import struct
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class SRU(nn.Module):
    def __init__(self, channels, groups=4, threshold=0.5):
        super().__init__()
        self.gn = nn.GroupNorm(groups, channels)
        self.threshold = threshold

    def forward(self, x):
        gamma = self.gn.weight
        share = (gamma / gamma.sum()).view(1, -1, 1, 1)
        s = torch.sigmoid(share * self.gn(x))
        # Straight-through: the value of the hard gate, the gradient of s.
        rich = (s > self.threshold).to(x.dtype) + s - s.detach()
        x1 = rich * x
        x2 = x - x1
        x11, x12 = x1.chunk(2, 1)
        x21, x22 = x2.chunk(2, 1)
        return torch.cat((x11 + x22, x12 + x21), 1)


class CRU(nn.Module):
    def __init__(self, channels, out, alpha=0.5, squeeze=2, groups=2, kernel=3):
        super().__init__()
        self.upper = int(alpha * channels)
        lower = channels - self.upper
        u, l = self.upper // squeeze, lower // squeeze
        self.squeeze_up = nn.Conv2d(self.upper, u, 1, bias=False)
        self.squeeze_low = nn.Conv2d(lower, l, 1, bias=False)
        self.gwc = nn.Conv2d(u, out, kernel, padding=kernel // 2, groups=groups)
        self.pwc1 = nn.Conv2d(u, out, 1, bias=False)
        self.pwc2 = nn.Conv2d(l, out - l, 1, bias=False) if l < out else None

    def forward(self, x):
        up = self.squeeze_up(x[:, : self.upper])
        low = self.squeeze_low(x[:, self.upper :])
        y1 = self.gwc(up) + self.pwc1(up)
        y2 = torch.cat((self.pwc2(low), low), 1) if self.pwc2 is not None else low
        s1, s2 = F.adaptive_avg_pool2d(y1, 1), F.adaptive_avg_pool2d(y2, 1)
        beta = torch.softmax(torch.stack((s1, s2)), 0)
        return beta[0] * y1 + beta[1] * y2


class SCConv(nn.Module):
    def __init__(self, channels, out, stride):
        super().__init__()
        self.sru = SRU(channels)
        self.cru = CRU(channels, out)
        self.stride = stride

    def forward(self, x):
        x = self.sru(x)
        if self.stride > 1:
            x = F.avg_pool2d(x, self.stride, ceil_mode=True, count_include_pad=False)
        return self.cru(x)


def standard(channels, out, stride):
    return nn.Conv2d(channels, out, 3, stride, 1, bias=False)


class Block(nn.Module):
    def __init__(self, channels, width, stride, unit):
        super().__init__()
        self.conv1 = unit(channels, width, stride)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = unit(width, width, 1)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.stride, self.new = stride, width - channels

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1 or self.new > 0:
            x = x[:, :, :: self.stride, :: self.stride]
            x = F.pad(x, (0, 0, 0, 0, self.new // 2, self.new - self.new // 2))
        return self.relu(y + x)


class ResNet20(nn.Module):
    def __init__(self, unit, classes=10):
        super().__init__()
        self.conv1 = standard(3, 16, 1)
        self.bn1 = nn.BatchNorm2d(16)
        channels = 16
        for stage, width in enumerate((16, 32, 64)):
            blocks = []
            for i in range(3):
                blocks.append(Block(channels, width, 2 if stage > 0 and i == 0 else 1, unit))
                channels = width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


class Bottleneck(nn.Module):
    def __init__(self, channels, width, stride, unit):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = unit(width, width, stride)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = None
        if stride > 1 or channels != 4 * width:
            project = nn.Conv2d(channels, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(project, nn.BatchNorm2d(4 * width))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        return F.relu(y + (self.downsample(x) if self.downsample is not None else x))


class ResNet50(nn.Module):
    def __init__(self, unit, classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        channels = 64
        for stage, (width, count) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
            blocks = []
            for i in range(count):
                blocks.append(Bottleneck(channels, width, 2 if stage > 0 and i == 0 else 1, unit))
                channels = 4 * width
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))


NETWORKS = {"resnet20": ResNet20, "resnet50": ResNet50}


def read_safetensors(path):
    with open(path, "rb") as f:
        data = bytearray(f.read())
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    types = {"F32": torch.float32, "I32": torch.int32}
    tensors = {}
    for name, entry in header.items():
        begin, end = (8 + length + o for o in entry["data_offsets"])
        flat = torch.frombuffer(data[begin:end], dtype=types[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"]).clone()
    return tensors


def build(job):
    """The network with the weights of the job's file, its images and labels, in the job's layout."""
    torch.set_num_threads(job["threads"])
    unit = SCConv if job["conv"] == "scconv" else standard
    model = NETWORKS[job["network"]](unit, job["classes"])
    tensors = read_safetensors(job["file"])
    images, labels = tensors.pop("images"), tensors.pop("labels").long()
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    wrong = [n for n in missing if not n.endswith("num_batches_tracked")] + list(unexpected)
    if wrong:
        raise SystemExit(f"not the same network: {wrong[:5]}")
    if job["layout"] == "channels-last":
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    return model, images, labels


VERSIONS = {"torch": torch.__version__, "python": platform.python_version()}


def start(job):
    model, images, labels = build(job)
    decayed = [p for p in model.parameters() if p.dim() > 1]
    others = [p for p in model.parameters() if p.dim() <= 1]
    optimizer = torch.optim.SGD(
        [{"params": decayed, "weight_decay": 5e-4}, {"params": others, "weight_decay": 0}],
        lr=job["learningRate"],
        momentum=0.9,
        nesterov=True,
    )
    model.train()

    def run(steps):
        losses = []
        began = time.perf_counter()
        for _ in range(steps):
            optimizer.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(images), labels)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return {"seconds": time.perf_counter() - began, "losses": losses}

    say({"versions": VERSIONS, "parameters": sum(p.numel() for p in model.parameters())})
    return run


def say(document):
    print(json.dumps(document), flush=True)


def serve(start):
    """Answers the first line by what `start` builds, and every further one by a number of steps of it."""
    run = None
    for line in sys.stdin:
        message = json.loads(line)
        if run is None:
            run = start(message)
        else:
            say(run(message["steps"]))


if __name__ == "__main__":
    serve(start)
