"""Writes networks of torchvision and timm as both of PyTorch's exporters do, with what PyTorch says of them.

    python bench/exporters/export-models.py DIR [--only resnet18,vgg16_bn]

One process for a network. DIR/NAME/ gets EXPORTER-SET/model.onnx for each of FILES below, fixed.safetensors and
open.safetensors (inputs, outputs, loss, gradients) and model.json. Needs torch, torchvision, timm, onnx, onnxscript and
safetensors; with fvcore its count of multiply-adds stands beside.
"""

import argparse
import json
import subprocess
import sys
import time
import traceback
import warnings
from contextlib import nullcontext
from pathlib import Path

# (exporter, operator set, sizes): sizes `fixed` in the first, open in the second.
FILES = [("torchscript", 13, "fixed"), ("torchscript", 17, "open"), ("dynamo", 18, "fixed"), ("dynamo", 20, "open")]
AXES = {0: "N", 2: "H", 3: "W"}
SECONDS = 1200


def export(model, network, images, path, exporter, opset, sizes):
    import torch
    from torchvision_ops import without_branches

    task = network.task
    inputs, outputs = ["images"], {"classifier": ["logits"], "segmenter": ["scores"]}.get(task, ["boxes", "scores", "labels"])
    names = {1: "H", 2: "W"} if task == "detector" else AXES
    axes = {a: names[a] for a in network.open_axes} if sizes == "open" else {}
    common = {"input_names": inputs, "output_names": outputs, "opset_version": opset}
    if exporter == "torchscript":
        shared = {a: n for a, n in axes.items() if task == "segmenter" or n == "N"}
        dynamic = {"images": axes, outputs[0]: shared} if axes and task != "detector" else {"images": axes} if axes else None
        torch.onnx.export(model, (images,), str(path), dynamo=False, dynamic_axes=dynamic, **common)
    else:
        shapes = ({a: torch.export.Dim.DYNAMIC for a in axes},) if axes else None
        # The second file keeps its weights in a file beside it, as large ones have to.
        beside = sizes == "open"
        with without_branches() if task == "detector" else nullcontext():
            torch.onnx.export(
                model, (images,), str(path), dynamo=True, dynamic_shapes=shapes, external_data=beside, **common
            )


def counts(model, images):
    """Multiply-adds of convolutions and products, as fvcore counts them; None without it."""
    try:
        from fvcore.nn import FlopCountAnalysis
    except ImportError:
        return None
    analysis = FlopCountAnalysis(model, (images,)).unsupported_ops_warnings(False).uncalled_modules_warnings(False)
    try:
        by = analysis.by_operator()
    except Exception as error:  # It traces the network, which not every detector can bear.
        print("fvcore:", str(error).split("\n")[0], flush=True)
        return None
    return sum(int(by[k]) for k in ("conv", "linear", "matmul", "addmm", "bmm", "einsum"))


def one(root, name, references):
    import torch
    from models import models, networks
    from reference import answers, convolutions_before_norms, reference, settle
    from safetensors.torch import save_file

    torch.set_num_threads(1)
    torch.manual_seed(0)
    network = networks[name]
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    model = settle(network.build(), network.task, network.settled)
    detects = network.task == "detector"
    shape = lambda n, h, w: (3, h, w) if detects else (n, 3, h, w)  # noqa: E731
    shapes = {
        "fixed": shape(2, network.size, network.size),
        "open": shape(3, *network.other),
    }

    def draw(dims):
        patch = [network.patch or d for d in dims[-2:]]
        times = [d // p for d, p in zip(dims[-2:], patch)]
        some = lambda seed: torch.rand((*dims[:-2], *patch), generator=torch.Generator().manual_seed(seed))  # noqa: E731
        return lambda seed: some(seed).tile(times)

    images = draw(shapes["fixed"])(1)
    pairs = convolutions_before_norms(model, images)
    rounding = {}
    for sizes, dims in shapes.items():
        tensors, described = answers(model, draw(dims)(1), pairs) if detects else reference(model, draw(dims), pairs)
        rounding[sizes] = described.pop("rounding", None)
        save_file(tensors, folder / f"{sizes}.safetensors")
    meta = {}
    if network.published:
        weights = list(models.get_model_weights(network.published))
        best = weights[0].meta
        meta = {"parameters": best["num_params"], "gmacs": best["_ops"], "weights": str(weights[0])}
    files = []
    if references:
        files = json.loads((folder / "model.json").read_text())["files"]
    for exporter, opset, sizes in [] if references else FILES:
        target = folder / f"{exporter}-{opset}"
        target.mkdir(exist_ok=True)
        started = time.time()
        row = {"exporter": exporter, "opset": opset, "sizes": sizes, "path": f"{target.name}/model.onnx"}
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                export(model, network, images, target / "model.onnx", exporter, opset, sizes)
        except Exception as error:  # The exporter's own limits are part of what is told.
            traceback.print_exc()
            while error.__cause__ is not None:
                error = error.__cause__
            row["error"] = f"{type(error).__name__}: {error}".split("\n")[0][:300]
        files.append(row | {"seconds": round(time.time() - started, 1)})
    import timm
    import torchvision

    document = {
        "name": name,
        "task": network.task,
        "size": network.size,
        "batch": 1 if detects else 2,
        "published": meta,
        "counted": network.counted,
        "fvcore": {
            "fixed": counts(model, images if detects else images[:1]),
            "open": counts(model, torch.rand(shape(1, network.counted, network.counted))),
        },
        "versions": {"torch": torch.__version__, "torchvision": torchvision.__version__, "timm": timm.__version__},
        "rounding": rounding,
        "files": files,
        **described,
    }
    (folder / "model.json").write_text(json.dumps(document))
    print(name, [(f["exporter"], f["opset"], f.get("error", "ok"), f["seconds"]) for f in files], flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--references", action="store_true", help="leave the files as they are, only ask PyTorch again")
    parser.add_argument("--one")
    args = parser.parse_args()
    if args.one:
        return one(args.dir, args.one, args.references)
    names = [n for n in args.only.split(",") if n]
    if not names:
        from models import networks

        names = list(networks)
    failed = []
    for name in names:
        command = [sys.executable, __file__, str(args.dir), "--one", name]
        command += ["--references"] if args.references else []
        try:
            subprocess.run(command, check=True, timeout=SECONDS)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            failed.append(name)
            print(name, "failed:", str(error).split("\n")[0], flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
