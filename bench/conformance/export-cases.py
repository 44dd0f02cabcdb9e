"""Writes ONNX's own backend cases into a plain folder, for `npm run conformance`.

    python export-cases.py DIR        (needs: pip install onnx)

DIR/index.json lists the cases, with the operators that each has, its tolerances, and its inputs and outputs; DIR/KIND/NAME/
has model.onnx and, for each data set, input_N.pb and output_N.pb (ONNX TensorProto), as in ONNX's own layout. What is no
tensor (sequences, optionals) is named in the index and not written. `schemas` holds the versions of every operator, and
for its inputs whether ONNX calls them differentiable.
"""

import dataclasses
import json
import os
import shutil
import sys
import warnings

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner

warnings.filterwarnings("ignore")
KINDS = ["node", "pytorch-converted", "pytorch-operator", "simple", "light"]
DATA = os.path.join(os.path.dirname(onnx.__file__), "backend", "test", "data")


def tests(kind):
    """`light` are the zoo's networks with constants for weights; the loader files them under "real"."""
    if kind != "light":
        return load_model_tests(kind=kind)
    return [dataclasses.replace(case, kind="light") for case in load_model_tests(kind="real")]


def operators(graph, into):
    for node in graph.node:
        into.add(f"{node.domain}.{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type)
        for a in node.attribute:
            for g in [a.g] if a.type == onnx.AttributeProto.GRAPH else a.graphs:
                operators(g, into)
    return into


def tensor_of(value):
    """A TensorProto, or None for what is no dense tensor."""
    if isinstance(value, onnx.TensorProto):
        return value
    if value is None or isinstance(value, (list, dict)):
        return None
    if hasattr(value, "dtype") or isinstance(value, (bool, int, float)):
        try:
            return numpy_helper.from_array(np.asarray(value))
        except (TypeError, ValueError, KeyError, NotImplementedError):
            return None
    return None


def data_sets(case, model, folder):
    """For each data set the files of its inputs and outputs; null where there is no tensor."""
    if case.kind == "light":
        # The wheel has the outputs only; the inputs are what ONNX's own runner feeds.
        given = {t.name for t in model.graph.initializer}
        inputs = [
            Runner.generate_dummy_data(x, seed=0, name=case.model_name, random=False)
            for x in model.graph.input
            if x.name not in given
        ]
        with open(os.path.join(DATA, "light", f"light_{case.model_name}_output_0.pb"), "rb") as f:
            sets = [(inputs, [onnx.TensorProto.FromString(f.read())])]
    elif case.data_sets is not None:
        sets = [(list(i), list(o)) for i, o in case.data_sets]
    else:
        sets = []
        names = sorted(d for d in os.listdir(case.model_dir) if d.startswith("test_data_set_"))
        for name in names:
            parts = []
            for prefix, infos in (("input", model.graph.input), ("output", model.graph.output)):
                part = []
                while os.path.exists(path := os.path.join(case.model_dir, name, f"{prefix}_{len(part)}.pb")):
                    kind = infos[len(part)].type.WhichOneof("value")
                    if kind == "tensor_type":
                        proto = onnx.TensorProto()
                        with open(path, "rb") as f:
                            proto.ParseFromString(f.read())
                        part.append(proto)
                    else:
                        part.append(None)
                parts.append(part)
            sets.append(tuple(parts))
    written = []
    for k, (inputs, outputs) in enumerate(sets):
        entry = {}
        for prefix, values in (("input", inputs), ("output", outputs)):
            entry[prefix + "s"] = []
            for i, value in enumerate(values):
                proto = tensor_of(value)
                if proto is None:
                    entry[prefix + "s"].append(None)
                    continue
                file = f"data_{k}/{prefix}_{i}.pb"
                os.makedirs(os.path.join(folder, f"data_{k}"), exist_ok=True)
                with open(os.path.join(folder, file), "wb") as f:
                    f.write(proto.SerializeToString())
                entry[prefix + "s"].append(file)
        written.append(entry)
    return written


def schemas():
    versions = {}
    for s in onnx.defs.get_all_schemas_with_history():
        if s.domain == "" and not s.deprecated:
            versions.setdefault(s.name, []).append(s.since_version)
    return [
        {
            "name": s.name,
            "versions": sorted(versions[s.name]),
            "inputs": [
                {
                    "name": i.name,
                    "category": i.differentiation_category.name,
                    "float": any(t in ("tensor(float)", "tensor(double)") for t in i.types),
                }
                for i in s.inputs
            ],
        }
        for s in sorted(onnx.defs.get_all_schemas(), key=lambda s: s.name)
        if s.domain == "" and s.name in versions
    ]


def main(root):
    cases = []
    for kind in KINDS:
        for case in tests(kind):
            model = case.model
            if kind == "light":
                model = onnx.load(os.path.join(DATA, "light", f"light_{case.model_name}.onnx"))
            elif model is None:
                model = onnx.load(os.path.join(case.model_dir, "model.onnx"))
            folder = os.path.join(root, kind, case.name)
            shutil.rmtree(folder, ignore_errors=True)
            os.makedirs(folder)
            with open(os.path.join(folder, "model.onnx"), "wb") as f:
                f.write(model.SerializeToString())
            ops = operators(model.graph, set())
            for function in model.functions:
                operators(function, ops)
            cases.append(
                {
                    "name": case.name,
                    "kind": kind,
                    "folder": f"{kind}/{case.name}",
                    "operators": sorted(ops),
                    "opset": {o.domain: o.version for o in model.opset_import},
                    "rtol": case.rtol,
                    "atol": case.atol,
                    "sets": data_sets(case, model, folder),
                }
            )
    index = {"onnx": onnx.__version__, "opset": onnx.defs.onnx_opset_version(), "cases": cases, "schemas": schemas()}
    with open(os.path.join(root, "index.json"), "w") as f:
        json.dump(index, f, indent=1)
    print(f"{len(cases)} cases of onnx {onnx.__version__} in {root}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
