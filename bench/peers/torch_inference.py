"""PyTorch's inference of the same network, for bench/inference.mjs."""

import time

import torch
from torch_training import VERSIONS, build, say, serve


def start(job):
    model, images, _ = build(job)
    model.eval()

    def run(steps):
        with torch.inference_mode():
            began = time.perf_counter()
            for _ in range(steps):
                logits = model(images)
            seconds = time.perf_counter() - began
        return {"seconds": seconds, "logits": logits[0].tolist()}

    say({"versions": VERSIONS, "parameters": sum(p.numel() for p in model.parameters())})
    return run


serve(start)
