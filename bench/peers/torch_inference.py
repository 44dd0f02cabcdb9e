"""PyTorch's inference of the same network, for bench/inference.mjs."""

import time

import torch
from torch_training import VERSIONS, build, say, serve


def start(job):
    model, images, _ = build(job)
    model.eval()
    compile_seconds = None
    if job.get("compile"):
        # Frozen: weights are constants, batch norms are folded and convolutions packed, as in what we deploy.
        torch._inductor.config.freezing = True
        model = torch.compile(model)
        # Inductor compiles at the first call: before any clock runs.
        began = time.perf_counter()
        try:
            with torch.inference_mode():
                model(images)
        except Exception as error:
            say({"versions": VERSIONS, "failed": f"{type(error).__name__}: {error}".split("\n", 1)[0]})
            raise SystemExit(0) from error
        compile_seconds = time.perf_counter() - began

    def run(steps):
        with torch.inference_mode():
            began = time.perf_counter()
            for _ in range(steps):
                logits = model(images)
            seconds = time.perf_counter() - began
        return {"seconds": seconds, "logits": logits[0].tolist()}

    say({"versions": VERSIONS, "compileSeconds": compile_seconds})
    return run


serve(start)
