"""Makes torchvision.json: what torchvision's models are, count and answer, for test/zoo/torchvision.test.ts.

    python test/zoo/describe_torchvision.py [--fvcore SOURCE] > test/zoo/torchvision.json

Weights are too large to keep. They come from one formula of (name, index), here and in formula-weights.ts. fvcore counts a multiply-add as one; its counts for batch norms and pools
(one for each element) are left out, because they are no multiply-adds of a convolution or of a linear layer.
Needs torch, torchvision and fvcore (or its source, by --fvcore: 0.1.6 at 3378afe was used); not needed to run the tests.
"""

import hashlib
import importlib.util
import json
import math
import sys
import types

import numpy as np
import torch

try:
    import torchvision
except RuntimeError:  # Its compiled operators are of another build than torch: no classifier needs them, but their names.
    for name in [n for n in sys.modules if n.startswith("torchvision")]:
        del sys.modules[name]
    for name in ("nms", "qnms"):
        torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float threshold) -> Tensor")
    import torchvision

MODELS = [
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
    *("resnext50_32x4d", "resnext101_32x8d", "wide_resnet50_2"),
    *("densenet121", "densenet169", "vgg16_bn", "mobilenet_v2"),
]
# Of the scales of the norms, the one that brings the logits nearest to a deviation of one, on small images.
GAINS, SMALL = [0.35, 0.5, 0.7, 1, 1.4], 96
SIZE = 224
LOGITS = 16


def uniform(name: str, size: int) -> np.ndarray:
    """In [-1, 1): FNV-1a of the name, plus index times the golden ratio, mixed by murmur3's finaliser."""
    h = 0x811C9DC5
    for byte in name.encode():
        h = ((h ^ byte) * 0x01000193) & 0xFFFFFFFF
    x = np.uint32(h) + np.arange(size, dtype=np.uint32) * np.uint32(0x9E3779B9)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x ^= x >> np.uint32(shift)
        x *= np.uint32(factor)
    x ^= x >> np.uint32(16)
    return x.astype(np.float64) / 2**31 - 1


def formula(name: str, shape: tuple[int, ...], gain: float) -> np.ndarray:
    v = uniform(name, math.prod(shape)).reshape(shape)
    if len(shape) > 1:
        v = v * math.sqrt(6 / math.prod(shape[1:]))
    elif name.endswith("running_var"):
        v = 1 + v / 2
    elif name.endswith("weight"):
        v = gain * (1 + v / 4)
    else:
        v = v / 10
    return v.astype(np.float32)


def image(size: int) -> torch.Tensor:
    return torch.from_numpy((uniform("input", 3 * size**2) * math.sqrt(3)).astype(np.float32)).reshape(1, 3, size, size)


def is_norm_weight(name: str, tensor: torch.Tensor) -> bool:
    return tensor.dim() == 1 and name.endswith("weight")


@torch.no_grad()
def fill(model: torch.nn.Module, gain: float, only=lambda name, tensor: True) -> None:
    for name, tensor in model.state_dict().items():
        if not name.endswith("num_batches_tracked") and only(name, tensor):
            tensor.copy_(torch.from_numpy(formula(name, tuple(tensor.shape), gain)))


@torch.no_grad()
def deviation(model: torch.nn.Module, gain: float) -> float:
    fill(model, gain, is_norm_weight)
    return model(image(SMALL))[0].std().item()


def fvcore(source: str | None):
    if source:
        sys.path.insert(0, source)
    # It imports these for checkpoints and tables, which is not done here.
    for name in ("iopath", "iopath.common", "iopath.common.file_io", "yacs", "yacs.config", "tabulate", "termcolor", "tqdm"):
        if name in sys.modules or ("." not in name and importlib.util.find_spec(name)):
            continue
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].HTTPURLHandler = sys.modules[name].PathManager = object
        sys.modules[name].tabulate = sys.modules[name].colored = lambda *_, **__: ""
    import fvcore as package
    from fvcore.nn.flop_count import FlopCountAnalysis

    def count(model: torch.nn.Module) -> dict[str, int]:
        by = FlopCountAnalysis(model, image(SIZE)).unsupported_ops_warnings(False).by_operator()
        return {"conv": int(by["conv"]), "linear": int(by["linear"] + by["addmm"])}

    return package.__version__, count


def describe(name: str, count) -> dict:
    model = getattr(torchvision.models, name)(weights=None).eval()
    shapes = sorted(f"{n} {','.join(map(str, t.shape))}" for n, t in model.state_dict().items()
                    if not n.endswith("num_batches_tracked"))
    macs = count(model)
    fill(model, 1)
    gain = min(GAINS, key=lambda g: abs(math.log(max(deviation(model, g), 1e-30))))
    fill(model, gain, is_norm_weight)
    with torch.no_grad():
        logits = model(image(SIZE))[0]
    print(name, gain, logits.std().item(), file=sys.stderr)
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "tensors": len(shapes),
        "shapes": hashlib.sha256("\n".join(shapes).encode()).hexdigest(),
        "macs": macs,
        "gain": gain,
        "deviation": round(logits.std().item(), 6),
        "logits": [round(v, 8) for v in logits[:LOGITS].tolist()],
    }


version, count = fvcore(sys.argv[sys.argv.index("--fvcore") + 1] if "--fvcore" in sys.argv else None)
json.dump({
    "by": "test/zoo/describe_torchvision.py",
    "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__, "fvcore": version},
    "size": SIZE,
    "models": {name: describe(name, count) for name in MODELS},
}, sys.stdout, indent=2)
print()
