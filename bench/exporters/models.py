"""The networks, each with the sizes that it is exported and run at."""

from dataclasses import dataclass
from typing import Callable

import torch
from torchvision_ops import torchvision

import timm  # After torchvision: it imports that itself.

models = torchvision.models


@dataclass(frozen=True)
class Network:
    build: Callable[[], torch.nn.Module]
    # "classifier", "segmenter" or "detector".
    task: str = "classifier"
    # Height and width of the images that it is exported for. Small: the more values stand in front of a ReLU, the likelier
    # it is that rounding decides on which side of its corner one of them lies, and gradients differ by that.
    size: int = 64
    # Of the second file: which axes are left open, and the size at which it is run (another than it is traced at).
    open_axes: tuple = (0, 2, 3)
    other: tuple = (64, 48)
    # Images repeat a patch of this size. Where they have to be large there are fewer different values in front of ReLUs.
    patch: int | None = None
    # At which multiply-adds are compared, where the size is open.
    counted: int = 224
    # Of the images whose running statistics it has; auxiliary heads, which run in training only, need larger ones.
    settled: int = 128
    # Name among torchvision's published weights, which say how many parameters and operations there are.
    published: str | None = None


def tv(name, **settings):
    published = settings.pop("published", name)
    network = {k: settings.pop(k) for k in ("size", "open_axes", "other", "patch", "counted", "settled") if k in settings}
    build = lambda: models.get_model(name, weights=None, **settings)  # noqa: E731
    return Network(build, published=published, **network)


class Answer(torch.nn.Module):
    """Segmenters answer with a dictionary; the file has its main entry."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        return self.network(images)["out"]


class Boxes(torch.nn.Module):
    """Detectors take a list of images and answer with a list of dictionaries."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, images):
        found = self.network([images])[0]
        return found["boxes"], found["scores"], found["labels"]


def segmenter(name):
    build = lambda: Answer(models.get_model(name, weights=None, weights_backbone=None))  # noqa: E731
    # Their maps stay at an eighth of the image: more values in front of a ReLU than a classifier has.
    return Network(build, task="segmenter", size=32, other=(32, 24), counted=520, published=name)


def detector(name, size, other, **settings):
    build = lambda: Boxes(models.get_model(name, weights=None, weights_backbone=None, **settings))  # noqa: E731
    return Network(build, task="detector", size=size, other=other, counted=size, open_axes=(1, 2), published=name)


networks = {
    "resnet18": tv("resnet18"),
    "resnet50": tv("resnet50"),
    "resnext50_32x4d": tv("resnext50_32x4d"),
    "wide_resnet50_2": tv("wide_resnet50_2"),
    "densenet121": tv("densenet121"),
    # Its pooling to 7×7 is exported at sizes that 7 divides after five halvings.
    "vgg16_bn": tv("vgg16_bn", size=224, open_axes=(0,), other=(224, 224), patch=4),
    "googlenet": tv("googlenet", aux_logits=False, init_weights=False),
    "inception_v3": tv("inception_v3", size=96, other=(75, 96), counted=299, settled=299, init_weights=False),
    "squeezenet1_1": tv("squeezenet1_1"),
    "mobilenet_v2": tv("mobilenet_v2"),
    "mobilenet_v3_large": tv("mobilenet_v3_large"),
    "efficientnet_b0": tv("efficientnet_b0"),
    "mnasnet1_0": tv("mnasnet1_0"),
    "shufflenet_v2_x1_0": tv("shufflenet_v2_x1_0"),
    "regnet_y_400mf": tv("regnet_y_400mf"),
    "convnext_tiny": tv("convnext_tiny"),
    "repvgg_a0": Network(lambda: timm.create_model("repvgg_a0", pretrained=False)),
    # Its branches meet again where 32 divides height and width.
    "hrnet_w18": Network(lambda: timm.create_model("hrnet_w18", pretrained=False), other=(64, 32)),
    "fcn_resnet50": segmenter("fcn_resnet50"),
    "deeplabv3_resnet50": segmenter("deeplabv3_resnet50"),
    "retinanet_resnet50_fpn": detector("retinanet_resnet50_fpn", 128, (128, 160), min_size=128, max_size=160),
    "ssdlite320_mobilenet_v3_large": detector("ssdlite320_mobilenet_v3_large", 320, (256, 288)),
    "fasterrcnn_resnet50_fpn": detector("fasterrcnn_resnet50_fpn", 128, (128, 160), min_size=128, max_size=160),
}
