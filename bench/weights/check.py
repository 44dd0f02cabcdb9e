"""Loads what scconv wrote (.safetensors) into the torchvision network and compares its answers to those of make.py.

    python bench/weights/check.py resnet18 FOLDER FILE.safetensors
"""

import json
import sys
from pathlib import Path

import torch
from models import build
from safetensors.torch import load_file

name, folder, file = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
model = build(name)
model.load_state_dict(load_file(file), strict=True)
theirs = torch.load(folder / f"{name}.pt", weights_only=True)
same = all(torch.equal(v, theirs[k]) for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked"))
io = load_file(folder / "io.safetensors")
model.eval()
with torch.no_grad():
    difference = (model(io["input"]) - io["logits"]).abs().max().item()
print(json.dumps({"strict": True, "sameBits": same, "difference": difference}))
