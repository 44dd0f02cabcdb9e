"""Torch-Pruning (DepGraph, Fang et al., CVPR 2023) on a trained ResNet-20 for CIFAR, for bench/pruning.mjs.

Channels are pruned until the network has the multiply-adds that are asked for, then it is trained with the settings of
`scconv slim` (distill.py). Prints one JSON document. Only the inner channels of blocks are pruned: option A's shortcuts, which
pad, tie the outer ones.
"""

import argparse
import copy
import json
import time

import onnx
import torch
import torch.nn.functional as F
import torch_pruning as tp
from cifar_images import NORMALS, load_images, normalizer
from distill import note, top1, tune
from onnx import numpy_helper
from torch import nn
from torch_training import VERSIONS, Block, ResNet20

RECIPE = {"batch": 128, "rate": 0.002, "decay": 0.001, "warmup": 100, "temperature": 4, "share": 0.9, "hint": 20}


def rebuild(path):
    """ResNet-20 with the file's convolutions, into which its batch norms are folded: biases, and no norms."""
    graph = onnx.load(path).graph
    weights = {t.name: torch.from_numpy(numpy_helper.to_array(t).copy()) for t in graph.initializer}
    convolutions = [[weights[n] for n in node.input[1:3]] for node in graph.node if node.op_type == "Conv"]
    model = ResNet20(lambda c, out, stride: nn.Conv2d(c, out, 3, stride, 1))
    model.conv1 = nn.Conv2d(3, 16, 3, 1, 1)
    for module in [model, *blocks(model)]:
        for name in ("bn1", "bn2"):
            if hasattr(module, name):
                setattr(module, name, nn.Identity())
    for module in layers(model, nn.Conv2d):
        module.weight.data, module.bias.data = convolutions.pop(0)
    model.linear.weight.data, model.linear.bias.data = weights["linear.weight"], weights["linear.bias"]
    if convolutions:
        raise SystemExit(f"{path}: not a ResNet-20")
    return model.eval()


def blocks(model):
    return layers(model, Block)


def layers(model, kind):
    return [m for m in model.modules() if isinstance(m, kind)]


def prune(original, macs, importance, spread, batch):
    """The ratio is searched by halving: the network nearest to `macs`."""
    best = None
    low, high = 0.0, 1.0
    for _ in range(8):
        model = copy.deepcopy(original)
        if importance == "taylor":
            F.cross_entropy(model(batch[0]), batch[1]).backward()
            score = tp.importance.GroupTaylorImportance()
        else:
            score = tp.importance.GroupMagnitudeImportance(p=2)
        ratio = (low + high) / 2
        tp.pruner.BasePruner(
            model,
            torch.zeros(1, 3, 32, 32),
            importance=score,
            pruning_ratio=ratio,
            max_pruning_ratio=0.9,
            global_pruning=spread == "global",
            ignored_layers=[model.conv1, model.linear, *(b.conv2 for b in blocks(model))],
        ).step()
        model.zero_grad(set_to_none=True)
        count = multiply_adds(model)
        if best is None or abs(count - macs) < abs(best[1] - macs):
            best = (model, count)
        low, high = (ratio, high) if count > macs else (low, ratio)
    return best


def multiply_adds(model):
    """Of convolutions and the linear layer, as `scconv inspect` counts them."""
    counts = []

    def watch(layer, _, y):
        counts.append(layer.weight.numel() * (y.shape[-1] * y.shape[-2] if y.dim() == 4 else 1))

    hooks = [m.register_forward_hook(watch) for m in layers(model, (nn.Conv2d, nn.Linear))]
    with torch.no_grad():
        model(torch.zeros(1, 3, 32, 32))
    for hook in hooks:
        hook.remove()
    return sum(counts)


def restore_norms(model, images):
    """A batch norm behind every convolution that at first changes nothing: γ = σ, β = μ of what it sees."""
    for module in [model, *blocks(model)]:
        for conv_name, norm_name in (("conv1", "bn1"), ("conv2", "bn2")):
            conv = getattr(module, conv_name, None)
            if conv is None:
                continue
            seen = []
            hook = conv.register_forward_hook(lambda m, _, y: seen.append(y))
            with torch.no_grad():
                model(images)
            hook.remove()
            norm = nn.BatchNorm2d(conv.out_channels)
            mean, var = seen[0].mean((0, 2, 3)), seen[0].var((0, 2, 3), unbiased=False)
            norm.running_mean, norm.running_var = mean.clone(), var.clone()
            norm.weight.data, norm.bias.data = torch.sqrt(var + norm.eps), mean.clone()
            setattr(module, norm_name, norm.eval())


def pruned(original, macs, sample):
    """The way of pruning is chosen by what it leaves on training images, before any fine-tuning."""
    tried = []
    for importance in ("magnitude", "taylor"):
        for spread in ("uniform", "global"):
            model, count = prune(original, macs, importance, spread, sample)
            kept = top1(model, *sample, lambda x: x)
            tried.append((kept, importance, spread, count, model))
            note(f"{importance}, {spread}: {count} multiply-adds, top-1 of {len(sample[1])} training images {kept:.2f}")
    return max(tried, key=lambda t: t[0])[1:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--data", required=True)
    parser.add_argument("--macs", type=int, required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--normalize", required=True, choices=NORMALS)
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--epochs", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    flags = parser.parse_args()
    torch.set_num_threads(flags.threads)
    torch.manual_seed(0)
    began = time.time()
    normal = normalizer(flags.normalize)
    train, test = (load_images(flags.data, split, flags.limit) for split in ("train", "test"))
    original = rebuild(flags.model)
    first = top1(original, *test, normal)
    note(f"original: {multiply_adds(original)} multiply-adds, top-1 {first:.2f}")

    sample = (normal(train[0][:1000]), train[1][:1000])
    importance, spread, count, model = pruned(original, flags.macs, sample)
    before = top1(model, *test, normal)
    restore_norms(model, sample[0])
    model, teacher = (m.to(memory_format=torch.channels_last) for m in (model, original))
    course = tune(model, teacher, train, test, normal, epochs=flags.epochs, **RECIPE)
    torch.onnx.export(
        model.eval(),
        (torch.zeros(1, 3, 32, 32),),
        flags.out,
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}},
        opset_version=17,
        dynamo=False,
    )
    document = {
        **{"importance": importance, "spread": spread, "macs": count, "original": first, "before": before},
        **{"top1": max(course), "course": course, "images": len(train[1]), "epochs": flags.epochs, **RECIPE},
        # A batch norm is part of its convolution once it is folded.
        "parameters": sum(m.weight.numel() + m.bias.numel() for m in layers(model, (nn.Conv2d, nn.Linear))),
        "seconds": time.time() - began,
        "versions": {**VERSIONS, "torch-pruning": tp.__version__},
    }
    print(json.dumps(document))


main()
