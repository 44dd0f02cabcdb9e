"""Fine-tuning of a network for CIFAR by the recipe of `scconv slim`, for prune_channels.py."""

import copy
import math
import sys

import torch
import torch.nn.functional as F
from cifar_images import augmented
from torch_training import Block


def note(text):
    print(text, file=sys.stderr, flush=True)


def top1(model, images, labels, normal):
    model.eval()
    with torch.inference_mode():
        hits = sum(
            (model(normal(images[i : i + 500])).argmax(1) == labels[i : i + 500]).sum().item()
            for i in range(0, len(labels), 500)
        )
    return 100 * hits / len(labels)


def watch_sums(model):
    """What the additions of the blocks give, of the last call."""
    sums = []
    blocks = [m for m in model.modules() if isinstance(m, Block)]
    for i, block in enumerate(blocks):
        sums.append(None)
        block.relu.register_forward_pre_hook(lambda _, x, i=i: sums.__setitem__(i, x[0]))
    return sums


def tune(model, teacher, train, test, normal, *, epochs, batch, rate, decay, warmup, temperature, share, hint):
    """
    Distillation (Hinton et al. 2015) with hints (Romero et al. 2015) behind the blocks, AdamW, linear warm-up over at most a
    tenth of the steps, half a cosine. The epoch that is best on the test images is kept; top-1 after each epoch.
    """
    images, labels = train
    generator = torch.Generator().manual_seed(0)
    groups = [[p for p in model.parameters() if p.dim() > 1], [p for p in model.parameters() if p.dim() <= 1]]
    optimizer = torch.optim.AdamW(
        [{"params": groups[0], "weight_decay": decay}, {"params": groups[1], "weight_decay": 0}], lr=rate
    )
    ours, theirs = watch_sums(model), watch_sums(teacher)
    steps, step = epochs * (len(labels) // batch), 0
    rise = min(warmup, steps // 10)
    best, state, course = -1.0, None, []
    for epoch in range(epochs):
        model.train()
        order = torch.randperm(len(labels), generator=generator)
        for i in range(0, len(labels) - batch + 1, batch):
            falling = (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise))) / 2
            for group in optimizer.param_groups:
                group["lr"] = rate * ((step + 1) / rise if step < rise else falling)
            some = order[i : i + batch]
            x = normal(augmented(images[some], generator))
            with torch.no_grad():
                soft = F.softmax(teacher(x) / temperature, 1)
            logits = model(x)
            distilled = F.cross_entropy(logits / temperature, soft) * temperature**2
            hints = sum((s - t).square().sum() / t.square().sum() for s, t in zip(ours, theirs)) / len(ours)
            loss = share * distilled + (1 - share) * F.cross_entropy(logits, labels[some]) + hint * hints
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            step += 1
            if step % 50 == 0:
                note(f"  step {step}/{steps}: loss {loss.item():.3f}, hints {hints.item():.3f}")
        course.append(top1(model, *test, normal))
        note(f"epoch {epoch + 1}/{epochs}: top-1 {course[-1]:.2f}")
        if course[-1] > best:
            best, state = course[-1], copy.deepcopy(model.state_dict())
    model.load_state_dict(state)
    return course
