#!/usr/bin/env python3
"""What convscope saved, read by h5py: each case's weights are those of the file that Keras wrote.

check_h5py.py SAVED CASES: SAVED has CASE.h5 and CASE.keras for the folders of CASES. Speaks TAP.
"""
import io
import json
import os
import sys
import zipfile

import h5py
import numpy as np


def text(value):
    return value.decode() if isinstance(value, bytes) else str(value)


def names(group, key):
    """A list attribute, which Keras cuts into pieces where it is long."""
    if key in group.attrs:
        return [text(n) for n in group.attrs[key]]
    found, i = [], 0
    while f"{key}{i}" in group.attrs:
        found += [text(n) for n in group.attrs[f"{key}{i}"]]
        i += 1
    return found


def is_state(array):
    return array.dtype.kind in "iu" and array.shape == (2,)


def legacy(f):
    """[(layer, [arrays])] of those layers that have any, as Keras' own loader pairs them."""
    root = f["model_weights"] if "model_weights" in f else f
    layers = []
    for layer in names(root, "layer_names"):
        arrays = [np.asarray(root[layer][w]) for w in names(root[layer], "weight_names")]
        arrays = [a for a in arrays if not is_state(a)]
        if arrays:
            layers.append((layer, arrays))
    return layers


def by_path(f):
    """{path: array} of a .keras file's weights, without the optimizer."""
    found = {}

    def visit(name, item):
        wanted = not name.startswith("optimizer") and "seed_generator" not in name
        if isinstance(item, h5py.Dataset) and wanted:
            found[name] = np.asarray(item)

    f.visititems(visit)
    return found


def open_keras(path):
    with zipfile.ZipFile(path) as z:
        assert z.testzip() is None
        json.loads(z.read("metadata.json"))
        config = json.loads(z.read("config.json"))
        assert config["class_name"] and config["module"] and isinstance(config["config"], dict)
        return config, h5py.File(io.BytesIO(z.read("model.weights.h5")), "r")


def is_bytes(group, key):
    """As Keras 2 of h5py 2 wants it: of any length, and not marked as UTF-8."""
    kind = h5py.h5a.open(group.id, key.encode()).get_type()
    return kind.is_variable_str() and kind.get_cset() == h5py.h5t.CSET_ASCII


def same(a, b):
    return a.shape == b.shape and np.array_equal(a.astype(np.float32), b.astype(np.float32))


def check_h5(path, original):
    ours, theirs = h5py.File(path, "r"), h5py.File(original, "r")
    for group, keys in ((ours, ("model_config", "keras_version", "backend")),
                        (ours["model_weights"], ("keras_version", "backend"))):
        for key in keys:
            if not is_bytes(group, key):
                return f"{key} is marked as UTF-8"
    config = json.loads(text(ours.attrs["model_config"]))
    if "model_config" in theirs.attrs and config != json.loads(text(theirs.attrs["model_config"])):
        return "another configuration"
    a, b = legacy(ours), legacy(theirs)
    if [n for n, _ in a] != [n for n, _ in b]:
        return f"layers {[n for n, _ in a]}, not {[n for n, _ in b]}"
    for (name, x), (_, y) in zip(a, b):
        if len(x) != len(y) or not all(same(p, q) for p, q in zip(x, y)):
            return f"layer {name} differs"
    return None


def check_keras(path, original):
    config, ours = open_keras(path)
    their_config, theirs = open_keras(original)
    if config["config"] != their_config["config"]:
        return "another configuration"
    a, b = by_path(ours), by_path(theirs)
    if sorted(a) != sorted(b):
        return f"paths {sorted(set(a) ^ set(b))}"
    return next((f"{k} differs" for k in a if not same(a[k], b[k])), None)


def main(saved, cases):
    checks = []
    for case in sorted(os.listdir(cases)):
        for ending, check in ((".h5", check_h5), (".keras", check_keras)):
            original = os.path.join(cases, case, "model" + ending)
            if os.path.exists(original):
                checks.append((case + ending, check(os.path.join(saved, case + ending), original)))
    print(f"1..{len(checks)}")
    for i, (name, problem) in enumerate(checks):
        print(f"{'not ok' if problem else 'ok'} {i + 1} - h5py reads {name}"
              + (f"\n# {problem}" if problem else ""))
    return any(problem for _, problem in checks) or not checks


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
