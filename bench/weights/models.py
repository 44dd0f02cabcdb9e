"""torchvision's networks, also where its compiled operators do not fit the torch that is installed: they need none."""

import torch

try:
    import torchvision
except RuntimeError:
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision


def build(name):
    return getattr(torchvision.models, name)(weights=None)
