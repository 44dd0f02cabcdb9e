"""What PyTorch says of a network: outputs, loss and gradients, in float64; and under which forms its weights may be in a file."""

import copy
import math
import re

import torch
import torch.nn.functional as F

# Of a weight, the file of references holds the first elements only: enough to find it by.
PRINT = 256


def settle(model, task, size):
    """Weights as after some training: nothing at its start, running statistics that fit."""
    with torch.no_grad():
        for p in model.parameters():
            if p.dim() <= 1 or p.numel() == max(p.shape):
                p.add_(torch.rand_like(p) * 0.2 - 0.1)
                p.mul_(0.75 + 0.5 * torch.rand_like(p))
        norms = [m for m in model.modules() if isinstance(m, torch.nn.modules.batchnorm._BatchNorm)]
        for m in norms:
            m.momentum = None
            m.reset_running_stats()
        model.train()
        part = model.network.backbone if task == "detector" else model
        for _ in range(2):
            part(torch.randn(4, 3, size, size))
        for m in norms:
            m.momentum = 0.1
        model.eval()
        for name, head in model.named_modules() if task == "detector" else []:
            # Scores of a fresh head lie so close together that rounding decides on their order.
            if re.search(r"rpn\.head\.cls_logits$|cls_score$", name):
                spread(model, head, [torch.rand(3, size, size) for _ in range(2)])
            elif re.search(r"cls_logits$|classification_head\.module_list\.\d\.1$", name) and isinstance(head, torch.nn.Conv2d):
                head.weight.mul_(10)
    return model


def spread(model, head, images, deviation=2):
    """
    Over the boxes or anchors of these images each logit gets mean 0 and this deviation. Weights that are merely larger drive the best
    scores so near to 1 that rounding decides which comes first: of Faster R-CNN's proposals 54 of 2,020 were then 1 in float32.
    """
    logits = []
    hook = head.register_forward_hook(lambda m, i, o: logits.append(o.movedim(1, -1).flatten(0, -2)))
    for image in images:
        model(image)
    hook.remove()
    deviations, means = torch.std_mean(torch.cat(logits), dim=0)
    scale = deviation / deviations
    head.weight.mul_(scale.reshape(-1, *[1] * (head.weight.dim() - 1)))
    head.bias.sub_(means).mul_(scale)


def convolutions_before_norms(model, images):
    """Which convolution alone each batch norm reads, by running the network: {batch norm: convolution}, by name."""
    names = {m: n for n, m in model.named_modules()}
    made, pairs, hooks = {}, {}, []
    for m in names:
        if isinstance(m, (torch.nn.Conv2d,)):
            # The outputs are kept, so that no other tensor gets their address.
            hooks.append(m.register_forward_hook(lambda m, i, o: made.update({id(o): (m, o)})))
        elif isinstance(m, torch.nn.BatchNorm2d):
            note = lambda m, i: pairs.update({names[m]: names[made[id(i[0])][0]]}) if id(i[0]) in made else None  # noqa: E731
            hooks.append(m.register_forward_pre_hook(note))
    with torch.no_grad():
        model(images)
    for h in hooks:
        h.remove()
    return pairs


def forms_of(model, pairs, used):
    """(tensors, description) of the forms in which a file may have each weight: as it is, or with a batch norm folded in."""
    parameters, modules = dict(model.named_parameters()), dict(model.named_modules())
    tensors, forms = {}, []

    def form(name, covers, value, gradient, scale=None):
        tensors[f"value.{name}"] = value.detach().flatten()[:PRINT].clone()
        if scale is not None:
            tensors[f"scale.{name}"] = scale.detach().clone()
        forms.append(
            {"name": name, "covers": covers, "dims": list(value.shape), "gradient": gradient, "scaled": scale is not None}
        )

    for name in used:
        form(name, [name], parameters[name], name)
    for norm_name, conv_name in pairs.items():
        norm, conv = modules[norm_name], modules[conv_name]
        a = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        mean = norm.running_mean if conv.bias is None else norm.running_mean - conv.bias
        weights = [f"{conv_name}.weight", f"{norm_name}.weight"]
        shifts = [f"{norm_name}.bias"] + ([] if conv.bias is None else [f"{conv_name}.bias"])
        form(f"{conv_name}.weight/folded", weights, conv.weight * a[:, None, None, None], f"{conv_name}.weight", a)
        form(f"{conv_name}.bias/folded", shifts, norm.bias - a * mean, f"{norm_name}.bias")
    return tensors, {
        "forms": forms,
        "parameters": {n: p.numel() for n, p in parameters.items() if n in used},
        "unused": {n: p.numel() for n, p in parameters.items() if n not in used},
    }


def differentiate(model, images):
    """(outputs, labels, loss) of the cross-entropy with fixed labels; gradients are in the parameters."""
    model.zero_grad()
    outputs = model(images)
    labels = torch.randint(
        0, outputs.shape[1], outputs.shape[:1] + outputs.shape[2:], generator=torch.Generator().manual_seed(5)
    )
    loss = F.cross_entropy(outputs, labels)
    loss.backward()
    return outputs.detach(), labels, loss.detach()


def rounding(model, exact, images, least, times=3):
    """
    How far gradients in float32 lie from those in float64, the worst parameter, over images that differ by a
    little more than float32's rounding; once it is no less than `least` no further ones are asked. Where it is large a ReLU or a maximum stands so near its corner
    that rounding decides on which side.
    """
    worst = 0
    for seed in range(times):
        if worst >= least:
            break
        noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(seed))
        differentiate(model, images * (1 + 1e-6 * noise))
        for p, q in zip(model.parameters(), exact.parameters()):
            if q.grad is not None:
                worst = max(worst, ((p.grad - q.grad).norm() / q.grad.norm().clamp(min=1e-30)).item())
    model.zero_grad()
    return worst


def reference(model, draw, pairs):
    """
    (tensors, description) for the images, among twenty draws, whose gradients rounding moves least. Of a folded W′ = a·W,
    b′ = a·(b − μ) + β: ∂L/∂W′ = (∂L/∂W)/a and ∂L/∂b′ = ∂L/∂β.
    """
    exact = copy.deepcopy(model).double()
    best = None
    for seed in range(1, 21):
        images = draw(seed)
        differentiate(exact, images.double())
        moved = rounding(model, exact, images, best[0] if best else math.inf)
        if best is None or moved < best[0]:
            best = (moved, images)
        if moved < 1e-4:
            break
    moved, images = best
    outputs, labels, loss = differentiate(exact, images.double())
    parameters = dict(exact.named_parameters())
    gradients = {f"grad.{n}": p.grad for n, p in parameters.items() if p.grad is not None}
    values, forms = forms_of(exact, pairs, {n for n, p in parameters.items() if p.grad is not None})
    answer = {"images": images, "labels": labels, "output.0": outputs, "loss": loss.reshape(1)}
    tensors = {k: single(v) for k, v in (answer | gradients | values).items()}
    return tensors, {"rounding": moved, **forms}


def single(tensor):
    return (tensor.float() if tensor.is_floating_point() else tensor).contiguous()


def answers(model, images, pairs):
    """
    Of a detector: its outputs alone, in float32, because what is found depends on comparisons; and what it finds in float64, which
    says how much of that hangs on rounding.
    """
    exact = copy.deepcopy(model).double()
    with torch.no_grad():
        found = {"output": model(images), "exact": exact(images.double())}
    values, forms = forms_of(exact, pairs, dict(model.named_parameters()))
    outputs = {f"{kind}.{i}": o for kind, all in found.items() for i, o in enumerate(all)}
    return {k: single(v) for k, v in ({"images": images} | outputs | values).items()}, forms
