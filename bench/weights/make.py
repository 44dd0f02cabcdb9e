"""Writes a torchvision network with fresh weights (running statistics moved off their start) and what it answers.

    python bench/weights/make.py resnet18 FOLDER
"""

import sys
from pathlib import Path

import torch
from models import build
from safetensors.torch import save_file

name, folder = sys.argv[1], Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
torch.manual_seed(0)
model = build(name)
for _ in range(2):
    model(torch.randn(8, 3, 224, 224))
with torch.no_grad():
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.weight.uniform_(0.5, 1.5)
            module.bias.uniform_(-0.2, 0.2)
    model.eval()
    x = torch.randn(2, 3, 224, 224)
    y = model(x)
state = model.state_dict()
torch.save(state, folder / f"{name}.pt")
save_file(state, folder / f"{name}.safetensors")
save_file({"input": x, "logits": y}, folder / "io.safetensors")
