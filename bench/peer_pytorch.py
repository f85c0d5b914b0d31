#!/usr/bin/python3
"""peer_pytorch.py - the passes of bench_engine in PyTorch, with the weights of the book's network.

usage: peer_pytorch.py WEIGHTS OUTPUT [ROUNDS]
       peer_pytorch.py --cold WEIGHTS DIR [PHOTO]
bench_engine MODEL --weights FILE writes WEIGHTS and tells OUTPUT; nothing is measured unless the
output is the same to five digits. Without PyTorch (Debian: python3-torch) it says so and ends well.
--cold is one look in a process of its own: weights are read, a photograph is read as Keras does it
(Debian: python3-pil), its 8 activations are written to DIR, the mean of the last is told; without
PHOTO those of numbers that need no decoding.
Channels last, for output alone traced and frozen: of what PyTorch can do the fastest."""
import copy
import os
import statistics
import sys
import time

try:
    import numpy as np
    import torch
    from torch.nn import functional
except ImportError:
    print("PyTorch is not installed: nothing to compare with")
    sys.exit(0)

FILTERS = [32, 64, 128, 128]
SIZE = 150


def read_weights(path):
    """Keras keeps (height, width, in, out) and flattens with channels last."""
    numbers = np.fromfile(path, dtype=np.float32)
    at = 0
    tensors = []

    def take(*shape):
        nonlocal at
        n = int(np.prod(shape))
        part = numbers[at:at + n].reshape(shape)
        at += n
        return part

    depth, side = 3, SIZE
    for filters in FILTERS:
        tensors += [take(3, 3, depth, filters).transpose(3, 2, 0, 1), take(filters)]
        depth, side = filters, (side - 2) // 2
    flat = take(side * side * depth, 512).reshape(side, side, depth, 512)
    tensors += [flat.transpose(3, 2, 0, 1).reshape(512, -1), take(512)]
    tensors += [take(512, 1).T, take(1)]
    if at != numbers.size:
        sys.exit("the weights are not those of the book's network")
    return [torch.from_numpy(np.ascontiguousarray(t)) for t in tensors]


class Book(torch.nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.convs = torch.nn.ModuleList()
        depth = 3
        for i, filters in enumerate(FILTERS):
            conv = torch.nn.Conv2d(depth, filters, 3)
            conv.weight.data, conv.bias.data = weights[2 * i], weights[2 * i + 1]
            self.convs.append(conv)
            depth = filters
        self.dense = torch.nn.Linear(weights[8].shape[1], 512)
        self.dense.weight.data, self.dense.bias.data = weights[8], weights[9]
        self.last = torch.nn.Linear(512, 1)
        self.last.weight.data, self.last.bias.data = weights[10], weights[11]

    def layers(self, x):
        """What every layer gives, as the list of activations has it."""
        given = []
        for conv in self.convs:
            x = functional.relu(conv(x))
            given.append(x)
            x = functional.max_pool2d(x, 2)
            given.append(x)
        given += self.end(x, both=True)
        return given

    def end(self, x, both=False):
        x = functional.relu(self.dense(torch.flatten(x, 1)))
        y = torch.sigmoid(self.last(x))
        return [x, y] if both else y

    def forward(self, x):
        return self.layers(x)[-1]


def pictures(batch):
    """Those of bench_engine."""
    n, state = batch * SIZE * SIZE * 3, 1
    numbers = np.empty(n, dtype=np.float32)
    for i in range(n):
        state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
        numbers[i] = (state >> 8) / 16777216
    x = torch.from_numpy(numbers.reshape(batch, SIZE, SIZE, 3).transpose(0, 3, 1, 2).copy())
    return x.contiguous(memory_format=torch.channels_last)


def jobs_of(net, one, many):
    """Name and function of each pass."""
    frozen = {}
    with torch.no_grad():
        for x in (one, many):
            traced = torch.jit.freeze(torch.jit.trace(net, x).eval())
            frozen[x.shape[0]] = torch.jit.optimize_for_inference(traced)

    def output(x):
        with torch.inference_mode():
            return frozen[x.shape[0]](x)

    def all_layers(x):
        with torch.inference_mode():
            return net.layers(x)

    def gradcam():
        with torch.no_grad():
            seen = net.layers(one)[6]
        seen.requires_grad_(True)
        return torch.autograd.grad(net.end(functional.max_pool2d(seen, 2)).sum(), seen)

    def ascent():
        x = one.clone().requires_grad_(True)
        for i, conv in enumerate(net.convs):
            y = functional.relu(conv(x if i == 0 else functional.max_pool2d(y, 2)))
        return torch.autograd.grad(y.sum(), x)

    learner = copy.deepcopy(net).train()
    for parameter in learner.parameters():
        parameter.requires_grad_(True)
    rmsprop = torch.optim.RMSprop(learner.parameters(), lr=1e-4, alpha=0.9, eps=1e-7)
    batch, truth = many[:20], torch.tensor([[i % 2] for i in range(20)], dtype=torch.float32)

    def train():
        rmsprop.zero_grad(set_to_none=True)
        functional.binary_cross_entropy(learner(batch), truth).backward()
        rmsprop.step()

    return [("forward b1", lambda: output(one)),
            ("forward b1, all activations", lambda: all_layers(one)),
            ("forward b32", lambda: output(many)),
            ("forward b32, all activations", lambda: all_layers(many)),
            ("Grad-CAM b1", gradcam), ("gradient ascent step b1", ascent),
            ("training step b20", train)]


def measure(threads, jobs, rounds):
    """All jobs in each round."""
    torch.set_num_threads(threads)
    times = {name: [] for name, _ in jobs}
    for name, run in jobs:
        run()
        run()
    for _ in range(rounds):
        for name, run in jobs:
            start = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - start) * 1e3)
    print(f"PyTorch {torch.__version__}, {threads} threads, {rounds} rounds")
    print(f"{'pass':32} {'ms (best)':>10} {'ms (median)':>12}")
    for name, ms in times.items():
        print(f"{name:32} {min(ms):10.3f} {statistics.median(ms):12.3f}")
    print()


def photo(path):
    """The nearest pixels, 0 ... 1."""
    from PIL import Image
    pixels = np.asarray(Image.open(path).convert("RGB").resize((SIZE, SIZE), Image.NEAREST))
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1)[None]


def cold(weights, folder, path=None):
    """As little as can be: eager, and nothing is traced for one pass."""
    net = Book(read_weights(weights)).eval().to(memory_format=torch.channels_last)
    x = photo(path) if path else torch.rand(1, 3, SIZE, SIZE)
    x = x.contiguous(memory_format=torch.channels_last)
    with torch.inference_mode():
        for i, y in enumerate(net.layers(x)[:8]):
            np.save(f"{folder}/{i}.npy", y.permute(0, 2, 3, 1).numpy())
    print(y.mean().item())


def main():
    if sys.argv[1:2] == ["--cold"]:
        cold(*sys.argv[2:5])
        return
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 15
    net = Book(read_weights(sys.argv[1])).eval().to(memory_format=torch.channels_last)
    for parameter in net.parameters():
        parameter.requires_grad_(False)
    one, many = pictures(1), pictures(32)
    jobs = jobs_of(net, one, many)
    got, want = float(jobs[0][1]()[0, 0]), float(sys.argv[2])
    if abs(got - want) > 1e-5 * abs(want):
        sys.exit(f"PyTorch gives {got:.9g} where convscope gives {want:.9g}")
    measure(1, jobs, rounds)
    if len(os.sched_getaffinity(0)) > 1:
        measure(len(os.sched_getaffinity(0)), jobs, rounds)


main()
