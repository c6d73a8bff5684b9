"""The peer of `npm run bench`: the same models in PyTorch, trained one step at a time on request.

Reads requests from standard input, one JSON object a line, and answers each with one line:
    {"build": {...}}           builds a model and its batch; answers {"parameters": n}
    {"steps": n}               takes n training steps; answers {"ms": [milliseconds of each]}
    {"examples": n, "products": d}   n backward passes of one example each, and the products of its gradient with d
                               others where products is given; answers {"ms": [...]}
Threads come from OMP_NUM_THREADS.
"""
import json
import math
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F


class Block(nn.Module):
    def __init__(self, width, heads, hidden):
        super().__init__()
        self.heads = heads
        self.ln1, self.ln2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x):
        batch, rows, width = x.shape
        q, k, v = self.qkv(self.ln1(x)).view(batch, rows, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(attended.transpose(1, 2).reshape(batch, rows, width))
        return x + self.down(F.gelu(self.up(self.ln2(x))))


class Transformer(nn.Module):
    """Decoder-only, learned positions, sequential residual; with `variables`, the table of the small recipe."""

    def __init__(self, spec):
        super().__init__()
        self.spec = spec
        width = spec["width"]
        self.embedding = nn.Embedding(spec["vocabulary"], width)
        self.positions = nn.Parameter(torch.randn(spec["rows"], width) * 0.1)
        self.blocks = nn.ModuleList(Block(width, spec["heads"], spec["hidden"]) for _ in range(spec["layers"]))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, spec["outputs"], bias=False)
        if spec["variables"]:
            self.variables = nn.Parameter(torch.randn(spec["variables"], 6) * 0.02)
            self.project = nn.Linear(6, width, bias=False)

    def forward(self, batch):
        x = self.embedding(batch["tokens"])
        if self.spec["variables"]:
            e = self.variables[batch["variable"]]
            w = e * torch.rsqrt(e.square().mean(-1, keepdim=True) + 1e-6) + 0.5 * torch.randn_like(e)
            x = torch.where(batch["is_variable"][..., None], self.project(w)[:, None], x)
        x = x + self.positions
        for block in self.blocks:
            x = block(x)
        x = self.norm(x)
        if self.spec["target"] == "answer":
            return self.head(x[torch.arange(x.shape[0]), batch["position"]])
        return self.head(x[:, :-1])


class NeoXBlock(Block):
    def forward(self, x, cos, sin):
        batch, rows, width = x.shape
        q, k, v = self.qkv(self.ln1(x)).view(batch, rows, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)

        def turn(y):
            turned = y[..., : cos.shape[-1]]
            a, b = turned.chunk(2, -1)
            return torch.cat([turned * cos + torch.cat([-b, a], -1) * sin, y[..., cos.shape[-1] :]], -1)

        attended = F.scaled_dot_product_attention(turn(q), turn(k), v, is_causal=True)
        attended = self.out(attended.transpose(1, 2).reshape(batch, rows, width))
        return x + attended + self.down(F.gelu(self.up(self.ln2(x))))


class NeoX(nn.Module):
    """GPT-NeoX with tied embeddings and a table of variables, as in configs/people.yaml; logits of the answer alone."""

    def __init__(self, spec):
        super().__init__()
        self.spec = spec
        width, size = spec["width"], spec["width"] // spec["heads"] // 4
        self.embedding = nn.Embedding(spec["vocabulary"], width)
        self.variables = nn.Parameter(torch.randn(spec["variables"], width) * 0.02)
        self.blocks = nn.ModuleList(NeoXBlock(width, spec["heads"], spec["hidden"]) for _ in range(spec["layers"]))
        self.norm = nn.LayerNorm(width)
        angles = torch.arange(spec["rows"])[:, None] / 10000 ** (torch.arange(0, size, 2) / size)
        angles = torch.cat([angles, angles], -1)
        self.cos, self.sin = angles.cos(), angles.sin()

    def forward(self, batch):
        x = self.embedding(batch["tokens"])
        e = self.variables[batch["variable"]]
        w = e * torch.rsqrt(e.square().mean(-1, keepdim=True) + 1e-6) + 0.5 * torch.randn_like(e)
        x = torch.where(batch["is_variable"][..., None], w[:, None], x)
        for block in self.blocks:
            x = block(x, self.cos, self.sin)
        return self.norm(x)[:, -self.spec["answer"] :] @ self.embedding.weight.T


class Convnet(nn.Module):
    """The net of configs/mnist-qa.yaml on images of 28 x 24: 4 cells with 11 answers each."""

    def __init__(self, _spec):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 24, 5, stride=2, padding=2)
        self.conv2 = nn.Conv2d(24, 48, 3, stride=2, padding=1)
        self.conv3 = nn.Conv2d(48, 64, 3, stride=3)
        self.norm0, self.norm1, self.norm2 = nn.LayerNorm(384), nn.LayerNorm(512), nn.LayerNorm(512)
        self.hidden1, self.hidden2 = nn.Linear(384, 512), nn.Linear(512, 512)
        self.output = nn.Linear(512, 44)

    def forward(self, batch):
        x = F.relu(self.conv2(F.relu(self.conv1(batch["image"]))))
        x = self.conv3(F.pad(x, (0, 0, 2, 0))).flatten(1)
        x = F.relu(self.norm1(self.hidden1(F.relu(self.norm0(x)))))
        x = F.relu(self.norm2(self.hidden2(x)))
        return self.output(x).view(-1, 4, 11)


def make_batch(spec):
    if spec.get("kind") == "convnet":
        examples = spec["examples"]
        return {"image": torch.randn(examples, 1, 28, 24), "labels": torch.randint(11, (examples * 4,))}
    examples, rows = spec["examples"], spec["rows"]
    tokens = torch.randint(spec["vocabulary"], (examples, rows))
    is_variable = torch.zeros(examples, rows, dtype=torch.bool)
    is_variable[:, 0] = True
    answer = spec["target"] == "answer"
    return {
        "tokens": tokens,
        "is_variable": is_variable,
        "variable": torch.randint(max(1, spec["variables"]), (examples,)),
        "position": torch.full((examples,), rows - 1),
        "labels": torch.randint(spec["outputs"], (examples * spec.get("answer", 1),)) if answer else tokens[:, 1:].reshape(-1),
    }


def loss_of(model, batch):
    logits = model(batch)
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), batch["labels"])


model = optimizer = batch = spec = None
for line in sys.stdin:
    request = json.loads(line)
    if "build" in request:
        spec = request["build"]
        torch.manual_seed(0)
        kinds = {"convnet": Convnet, "neox": NeoX}
        model = kinds.get(spec.get("kind") or spec.get("shape"), Transformer)(spec)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0)
        batch = make_batch(spec)
        answer = {"parameters": sum(p.numel() for p in model.parameters()), "threads": torch.get_num_threads()}
    elif "steps" in request:
        times = []
        for _ in range(request["steps"]):
            started = time.perf_counter()
            optimizer.zero_grad()
            loss_of(model, batch).backward()
            if spec.get("clip"):
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            times.append(1000 * (time.perf_counter() - started))
        answer = {"ms": times}
    else:
        times = []
        single = {name: value[:1] for name, value in batch.items()}
        if spec["target"] != "answer":
            single["labels"] = batch["labels"][: spec["rows"] - 1]
        size = sum(p.numel() for p in model.parameters())
        others = torch.randn(request["products"], size) if "products" in request else None
        for _ in range(request["examples"]):
            started = time.perf_counter()
            optimizer.zero_grad()
            loss_of(model, single).backward()
            gradient = torch.cat([p.grad.flatten() for p in model.parameters()])
            if others is not None:
                others @ gradient
            times.append(1000 * (time.perf_counter() - started))
        answer = {"ms": times}
    print(json.dumps(answer), flush=True)
