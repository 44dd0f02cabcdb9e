"""Images of WebDataset shards, all in memory, for prune_channels.py."""

import glob
import io
import tarfile

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

NORMALS = {
    "cifar10": ((0.4914, 0.4822, 0.4465), (0.247, 0.2435, 0.2616)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
}


def load_images(folder, split, limit):
    """The first images of a split, bytes (N, 3, H, W), and their classes."""
    images, labels = [], []
    for shard in sorted(glob.glob(f"{folder}/{split}-*.tar")):
        with tarfile.open(shard) as tar:
            for entry in tar:
                if limit and len(labels) >= limit and len(images) >= limit:
                    break
                data = tar.extractfile(entry).read()
                if entry.name.endswith(".cls"):
                    labels.append(int(data))
                else:
                    images.append(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).transpose(2, 0, 1))
    return torch.from_numpy(np.stack(images)), torch.tensor(labels)


def normalizer(name):
    mean, deviation = (torch.tensor(v).view(1, 3, 1, 1) for v in NORMALS[name])
    return lambda x: ((x.float() / 255 - mean) / deviation).contiguous(memory_format=torch.channels_last)


def augmented(images, generator):
    """Four pixels of border to crop from, half of the images mirrored."""
    n = len(images)
    padded = F.pad(images, (4, 4, 4, 4))
    ys, xs = torch.randint(0, 9, (2, n), generator=generator).tolist()
    out = torch.stack([padded[i, :, y : y + 32, x : x + 32] for i, (y, x) in enumerate(zip(ys, xs))])
    flip = torch.rand(n, generator=generator) < 0.5
    out[flip] = out[flip].flip(3)
    return out
