"""Trains the small digit network of the demonstration and writes it as ONNX.

    conv 5x5, step 2, 1 -> 6   ReLU                  12 x 12 x 6
    conv 3x3, 6 -> 12          ReLU   max-pool 2x2    5 x  5 x 12
    fully connected 300 -> 64  ReLU
    fully connected 64 -> 10

The input is x = u8/255, 28 x 28, white on black. In private inference each
activation before pooling costs about a hundred garbled gates, so there are few
(864 + 1200 + 64 = 2128) and the convolutions have no border.

Training has two parts. The first is ordinary, with BatchNorm. Then BatchNorm is
folded into the convolutions and the second part trains on with weights and
activations rounded as the integer network rounds them, so that the exported
weights are multiples of a power of two per layer, WEIGHT_BITS bits long.

    python3 train.py --mnist DIR
"""

import argparse
import gzip
import os
import time
from collections import OrderedDict

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import draw

WEIGHT_BITS = 6
ACTIVATION_BITS = 6   # in training; the report ends with what other numbers of bits do
DRAWN_IMAGES = 8000   # in the training set
HELD_OUT = 5000       # last images of MNIST's training part: measured, not trained on
BATCH = 100
FLOAT_EPOCHS, FINE_EPOCHS = 24, 8


def mnist(folder, part):
    """Images (n, 28, 28) and labels (n) of one part: train or t10k."""
    def idx(name, header):
        with gzip.open(os.path.join(folder, f"{part}-{name}-ubyte.gz")) as f:
            return np.frombuffer(f.read(), np.uint8, offset=header)
    return idx("images-idx3", 16).reshape(-1, 28, 28), idx("labels-idx1", 8).astype(np.int64)


def tensors(images, labels):
    return torch.from_numpy(images.astype(np.float32) / 255)[:, None], torch.from_numpy(labels.astype(np.int64))


def distort(x):
    """Turns, slants, stretches and moves each image, and wobbles it a little."""
    n = len(x)
    angle, slant = torch.randn(n) * .12, torch.randn(n) * .12
    sx, sy = (torch.exp(torch.randn(n) * .09) for _ in range(2))
    c, s = torch.cos(angle), torch.sin(angle)
    m = torch.stack([torch.stack([c * sx, (slant * c - s) * sy], 1),
                     torch.stack([s * sx, (slant * s + c) * sy], 1)], 1)
    shift = (torch.rand(n, 2, 1) - .5) * (4.5 / 14)
    grid = F.affine_grid(torch.cat([m, shift], 2), x.shape, align_corners=False)
    field = F.interpolate(torch.randn(n, 2, 5, 5) * .045, size=28, mode="bicubic", align_corners=True)
    x = F.grid_sample(x, grid + field.permute(0, 2, 3, 1), align_corners=False)
    return (x * (1 + torch.rand(n, 1, 1, 1) * .25)).clamp(max=1)


def new_network(norm):
    """The layers; with BatchNorm in training, without it once folded."""
    layers = {"conv1": nn.Conv2d(1, 6, 5, stride=2, bias=not norm), "norm1": nn.BatchNorm2d(6), "relu1": nn.ReLU(),
              "conv2": nn.Conv2d(6, 12, 3, bias=not norm), "norm2": nn.BatchNorm2d(12), "relu2": nn.ReLU(),
              "pool": nn.MaxPool2d(2), "flat": nn.Flatten(),
              "dense1": nn.Linear(300, 64), "relu3": nn.ReLU(), "drop": nn.Dropout(.1),
              "dense2": nn.Linear(64, 10)}
    if not norm:
        for name in "norm1", "norm2", "drop":
            del layers[name]
    return nn.Sequential(OrderedDict(layers))


def secret(net):
    """The layers that have weights."""
    return [m for m in net if isinstance(m, (nn.Conv2d, nn.Linear))]


def fold(net):
    """A network without BatchNorm that computes the same."""
    out = new_network(False)
    norms = [m for m in net if isinstance(m, nn.BatchNorm2d)]
    with torch.no_grad():
        for i, (to, of) in enumerate(zip(secret(out), secret(net))):
            if i < len(norms):
                b = norms[i]
                scale = b.weight / torch.sqrt(b.running_var + b.eps)
                to.weight.copy_(of.weight * scale[:, None, None, None])
                to.bias.copy_(b.bias - b.running_mean * scale)
            else:
                to.weight.copy_(of.weight)
                to.bias.copy_(of.bias)
    return out


def through(rounded, x):
    """The value of rounded with the gradient of x."""
    return x + (rounded - x).detach()


def to_grid(w, step, bits):
    """Nearest multiple of step, a signed integer of bits bits (symmetric)."""
    top = 2 ** (bits - 1) - 1
    return (w / step).round().clamp(-top, top) * step


def best_step(w, bits):
    """The power of two that rounds w with the least mean square error."""
    steps = [2.0 ** -f for f in range(-2, 14)]
    return min(steps, key=lambda s: float(((to_grid(w, s, bits) - w) ** 2).sum()))


class Rounded(nn.Module):
    """A folded network that computes with rounded weights and activations."""

    def __init__(self, net):
        super().__init__()
        self.net = net
        self.steps = [best_step(m.weight.detach(), WEIGHT_BITS) for m in secret(net)]
        self.tops = []

    def measure(self, x):
        """Sets the tops of the activations: powers of two that hold all but 1 in 10 000."""
        with torch.no_grad():
            for m in self.net:
                x = m(x)
                if isinstance(m, nn.ReLU):
                    v = x[x > 0]
                    high = float(v.kthvalue(int(v.numel() * .9999)).values)
                    self.tops.append(2.0 ** np.ceil(np.log2(high)))

    def clamp(self):
        """Keeps weights where their integers can follow."""
        with torch.no_grad():
            for m, step in zip(secret(self.net), self.steps):
                top = (2 ** (WEIGHT_BITS - 1) - 1) * step
                m.weight.clamp_(-top, top)

    def snap(self):
        """Rounds the weights for good."""
        with torch.no_grad():
            for m, step in zip(secret(self.net), self.steps):
                m.weight.copy_(to_grid(m.weight, step, WEIGHT_BITS))

    def forward(self, x):
        steps, tops = iter(self.steps), iter(self.tops)
        self.excess = 0.
        for m in self.net:
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                w = through(to_grid(m.weight, next(steps), WEIGHT_BITS), m.weight)
                x = F.conv2d(x, w, m.bias, m.stride) if isinstance(m, nn.Conv2d) else F.linear(x, w, m.bias)
            elif isinstance(m, nn.ReLU):
                top = next(tops)
                unit = top / 2 ** ACTIVATION_BITS
                self.excess = self.excess + F.relu(x - top + unit).pow(2).mean() / top ** 2
                x = x.clamp(min=0, max=top - unit)
                x = through(torch.floor(x / unit + .5) * unit, x)
            else:
                x = m(x)
        return x


def epochs(net, x, y, count, rate, after_step=lambda: None):
    """Adam with a rate that rises over the first tenth and then falls to 0."""
    groups = [{"params": [p for p in net.parameters() if p.dim() > 1], "weight_decay": 2e-4},
              {"params": [p for p in net.parameters() if p.dim() == 1], "weight_decay": 0}]
    opt = torch.optim.AdamW(groups, lr=rate)
    steps = len(x) // BATCH * count
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, rate, total_steps=steps, pct_start=.1)
    for epoch in range(count):
        net.train()
        order, total, start = torch.randperm(len(x)), 0., time.time()
        for batch in order[:len(x) // BATCH * BATCH].split(BATCH):
            loss = F.cross_entropy(net(distort(x[batch])), y[batch], label_smoothing=.03)
            total += loss.item()
            loss = loss + getattr(net, "excess", 0.)
            opt.zero_grad()
            loss.backward()
            opt.step()
            schedule.step()
            after_step()
        print(f"  epoch {epoch + 1:2}  loss {total * BATCH / len(x):.4f}  {time.time() - start:.0f} s", flush=True)


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        right = sum(int((net(a).argmax(1) == b).sum()) for a, b in zip(x.split(1000), y.split(1000)))
    return 100 * right / len(x)


class Integer:
    """The network in exact integers: what any power-of-two quantisation with
    these numbers of bits computes. Numbers are held in float64, all below 2^53."""

    def __init__(self, net, weight_bits, activation_bits, calibration):
        self.net, self.bits, self.layers = net, activation_bits, []
        self.width = []  # bits of each accumulator
        frac, x = activation_bits, calibration
        relus = [m for m in net if isinstance(m, nn.ReLU)]
        for i, m in enumerate(secret(net)):
            w = m.weight.detach().double()
            top = 2 ** (weight_bits - 1) - 1
            wf = int(np.floor(np.log2(top / float(w.abs().max()))))
            w = (w * 2.0 ** wf).round()
            b = (m.bias.detach().double() * 2.0 ** (wf + frac)).round()
            largest = (w.flatten(1).abs().sum(1) * (2 ** activation_bits - 1) + b.abs()).max()
            self.width.append(int(np.floor(np.log2(float(largest)))) + 2)
            shift = 0
            if i < len(relus):
                high = self.largest(x, relus[i])
                out = activation_bits - int(np.ceil(np.log2(high)))
                shift, frac = wf + frac - out, out
            self.layers.append((w, b, shift))

    def largest(self, x, relu):
        with torch.no_grad():
            for m in self.net:
                x = m(x)
                if m is relu:
                    return float(x.flatten().kthvalue(int(x.numel() * .99999)).values)

    def __call__(self, x):
        top = 2 ** self.bits - 1
        x = torch.floor(x.double() * 2 ** self.bits + .5).clamp(0, top)
        layers = iter(self.layers)
        for m in self.net:
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                w, b, shift = next(layers)
                x = F.conv2d(x, w, b, m.stride) if isinstance(m, nn.Conv2d) else F.linear(x, w, b)
            elif isinstance(m, nn.ReLU):
                x = torch.floor((x + 2.0 ** (shift - 1)) / 2.0 ** shift).clamp(0, top)
            else:
                x = m(x)
        return x

    def eval(self):
        return self


def export(net, path):
    net.eval()
    torch.onnx.export(net, torch.zeros(1, 1, 28, 28), path, opset_version=13, input_names=["input"],
                      output_names=["scores"], dynamic_axes={"input": {0: "batch"}, "scores": {0: "batch"}})


def report(name, net, sets):
    print(f"{name:34}" + "".join(f"  {what} {accuracy(net, x, y):6.2f} %" for what, (x, y) in sets.items()), flush=True)


def main():
    p = argparse.ArgumentParser(description="train the digit network of the demonstration")
    p.add_argument("--mnist", required=True, help="folder with MNIST's four .gz files")
    p.add_argument("--out", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "digits.onnx"))
    p.add_argument("--no-drawn", action="store_true", help="train on MNIST only, to see what the drawings add")
    a = p.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    start = time.time()

    images, labels = mnist(a.mnist, "train")
    x, y = tensors(images[:-HELD_OUT], labels[:-HELD_OUT])
    if not a.no_drawn:
        dx, dy = tensors(*draw.drawings(draw.TRAIN, DRAWN_IMAGES))
        x, y = torch.cat([x, dx]), torch.cat([y, dy])
    demo = np.stack([draw.digit(draw.DEMO, d, n) for d in range(10) for n in range(2)])
    sets = {"held out": tensors(images[-HELD_OUT:], labels[-HELD_OUT:]),
            "test": tensors(*mnist(a.mnist, "t10k")),
            "drawn": tensors(*draw.drawings(draw.MEASURE, 2000)),
            "demo": tensors(demo, np.arange(10).repeat(2))}

    net = new_network(True)
    epochs(net, x, y, FLOAT_EPOCHS, 6e-3)
    report("float, first part", net, sets)
    net = fold(net)
    report("float, folded", net, sets)
    rounded = Rounded(net)
    rounded.measure(x[:5000])
    epochs(rounded, x, y, FINE_EPOCHS, 1e-3, rounded.clamp)
    rounded.snap()
    report("float, weights as exported", net, sets)
    for wb, ab in (8, 8), (6, 8), (6, 6), (6, 5), (6, 4):
        integer = Integer(net, wb, ab, x[:5000])
        report(f"integers, weights {wb}, activations {ab}", integer, sets)
        print("    bits of the accumulators", *integer.width)
    export(net, a.out)
    size = sum(q.numel() for q in net.parameters())
    print(f"{size} parameters, {os.path.getsize(a.out)} bytes, {time.time() - start:.0f} s")


if __name__ == "__main__":
    main()
