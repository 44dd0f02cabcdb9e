"""torchvision, also where its compiled operators do not fit the torch that is installed.

Detectors call two of them. Both are written here in Python from their definitions, under torchvision's own names, so that the
exporters see what they always see.
"""

import sys
from contextlib import contextmanager

import torch


def nms(boxes, scores, iou_threshold):
    """Greedy: the best box stays, all that overlap it by more than the threshold go, and so on."""
    order = scores.argsort(descending=True, stable=True)
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while order.numel() > 0:
        best, rest = order[0], order[1:]
        kept.append(best)
        corner = torch.maximum(boxes[best, :2], boxes[rest, :2])
        end = torch.minimum(boxes[best, 2:], boxes[rest, 2:])
        overlap = (end - corner).clamp(min=0).prod(dim=1)
        order = rest[overlap <= iou_threshold * (area[best] + area[rest] - overlap)]
    return torch.stack(kept) if kept else torch.empty(0, dtype=torch.int64)


def roi_align(input, rois, spatial_scale, pooled_height, pooled_width, sampling_ratio, aligned):
    """
    Mask R-CNN, section 3, as torchvision's compiled kernel has it: the mean of sampling_ratio² bilinear samples in each bin. The weights of
    a sample are a product of one for its row and one for its column, so a box is two products of matrices. torchvision's own function
    in Python does not leave out samples beyond the map's edge, which its compiled kernels and the engine do.
    """
    if sampling_ratio <= 0 or input.shape[0] != 1:
        raise NotImplementedError("one image and a fixed number of samples are all that is asked for here")
    rows = bilinear(rois[:, 2], rois[:, 4], spatial_scale, pooled_height, sampling_ratio, aligned, input.shape[2])
    columns = bilinear(rois[:, 1], rois[:, 3], spatial_scale, pooled_width, sampling_ratio, aligned, input.shape[3])
    return torch.einsum("kph,chw,kqw->kcpq", rows, input[0], columns)


def bilinear(start, end, scale, bins, samples, aligned, size):
    """Weights (boxes, bins, size) of the positions along one axis in the mean of each bin."""
    offset = 0.5 if aligned else 0.0
    start, end = start * scale - offset, end * scale - offset
    length = end - start if aligned else (end - start).clamp(min=1.0)
    at = (torch.arange(bins * samples).to(start) + 0.5) / samples * (length / bins)[:, None] + start[:, None]
    inside = (at >= -1.0) & (at <= size)
    at = at.clamp(0, size - 1)
    low = at.floor().clamp(max=size - 1)
    part = at - low
    weights = start.new_zeros(len(start), bins * samples, size)
    weights.scatter_add_(2, low.long()[..., None], ((1 - part) * inside)[..., None])
    weights.scatter_add_(2, (low.long() + 1).clamp(max=size - 1)[..., None], (part * inside)[..., None])
    return weights.unflatten(1, (bins, samples)).mean(dim=2)


def roi_align_shape(input, rois, spatial_scale, pooled_height, pooled_width, sampling_ratio, aligned):
    return input.new_empty(rois.shape[0], input.shape[1], pooled_height, pooled_width)


@contextmanager
def without_branches():
    """
    torchvision's batched_nms asks how many boxes there are before it goes on, which `torch.export` does not follow. The same without
    that question: classes are moved apart and go through one suppression, as under TorchScript's tracer.
    """
    boxes_module = sys.modules["torchvision.ops.boxes"]
    theirs = boxes_module.batched_nms

    def batched_nms(boxes, scores, idxs, iou_threshold):
        apart = idxs.to(boxes) * (boxes.max() + 1)
        return torch.ops.torchvision.nms(boxes + apart[:, None], scores, iou_threshold)

    boxes_module.batched_nms = batched_nms
    try:
        yield
    finally:
        boxes_module.batched_nms = theirs


def nothing_lacks() -> None:
    return None


def there_are() -> bool:
    return True


try:
    import torchvision
except RuntimeError:
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define(
        "roi_align(Tensor input, Tensor rois, float spatial_scale, SymInt pooled_height, SymInt pooled_width, "
        "int sampling_ratio, bool aligned) -> Tensor"
    )
    library.impl("nms", nms, "CPU")
    library.impl("roi_align", roi_align, "CPU")
    import torchvision

    torch.library.register_fake("torchvision::roi_align", roi_align_shape, lib=library, allow_override=True)
    # By name: a function of the same name hides the module.
    for module in (sys.modules[f"torchvision.{m}"] for m in ("extension", "ops.boxes", "ops.roi_align")):
        module._assert_has_ops = nothing_lacks
        module._has_ops = there_are
