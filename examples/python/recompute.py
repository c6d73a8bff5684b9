"""Recomputes one minibatch of a run from its folder alone, and compares with what the run logged.

    python recompute.py runs/set-inclusion/small-seed0 [--step 616] [--tolerance 1e-4]

Needs numpy and pyarrow. From `batches`, `examples`, a checkpoint and the random streams of docs/streams.md it computes,
in float64 and with a forward and a backward pass written out here, the loss, the gradient of every group of examples
and its norms and inner products, for a transformer with learned positions and a loss on the answer (the default
presets of set inclusion). A step can be recomputed when the parameters before it are known: the one after a kept
checkpoint. Training computes in float32, so differences of some 1e-6 are expected. Exit code: 0 when all differences
are below the tolerance, 1 when not, 2 when the run or the step cannot be recomputed.
"""

import argparse
import json
import math
import pathlib
import re
import struct
import sys

import numpy as np
import pyarrow.ipc as ipc

from streams import Stream

# A tensor whose gradient is this share of the whole is compared relative to itself; smaller ones relative to this share:
# some gradients are zero but for rounding (a bias of the keys shifts all scores of a query alike).
FLOOR = 1e-3


class Refused(Exception):
    """The run or the step cannot be recomputed; the message says why."""


# Reading a run folder.


def table(run, name):
    """A table of a run, finished (`.arrow`) or going on (`.arrows`); None when there is none."""
    path = run / f"{name}.arrow"
    if path.exists():
        return ipc.open_file(path).read_all()
    path = run / f"{name}.arrows"
    return ipc.open_stream(path).read_all() if path.exists() else None


def needed(run, name):
    found = table(run, name)
    if found is None:
        raise Refused(f"{run}: no table {name}; runs of older versions do not have all tables that this needs")
    return found


def at_step(rows, step):
    """The rows of a step, as a list of dicts."""
    return rows.filter(np.asarray(rows["step"]) == step).to_pylist()


def checkpoint(run, step):
    """name -> float64 array: the parameters after `step` updates."""
    data = (run / "checkpoints" / f"step-{step:08d}.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    parameters = {}
    for name, entry in json.loads(data[8 : 8 + length]).items():
        if not name.startswith("parameter/"):
            continue
        if entry["dtype"] != "F32":
            raise Refused(f"{name}: {entry['dtype']} where F32 was expected")
        first, last = (8 + length + offset for offset in entry["data_offsets"])
        values = np.frombuffer(data[first:last], "<f4").reshape(entry["shape"])
        parameters[name.removeprefix("parameter/")] = values.astype(np.float64)
    return parameters


def choose_step(run, info, batches, gradients):
    """The step after the last checkpoint that is followed by a logged step of the earliest stage."""
    found = (re.fullmatch(r"step-(\d+)\.safetensors", path.name) for path in (run / "checkpoints").glob("*"))
    kept = sorted(int(match[1]) for match in found if match)
    known = set(batches["step"].to_pylist()) & set(gradients["step"].to_pylist())
    for stage in info["stages"]:
        inside = [s for s in kept if stage["firstStep"] <= s < stage["firstStep"] + stage["steps"] and s + 1 in known]
        if inside:
            return inside[-1] + 1
    raise Refused(f"{run}: no logged step follows a checkpoint; log gradients at every step (log.gram) or keep more")


# The model: forward and backward, one block after the other. Arrays are [example, row, width].


def erf(x):
    return np.vectorize(math.erf, otypes=[np.float64])(x)


def layer_norm(x, gain, bias, epsilon):
    centred = x - x.mean(-1, keepdims=True)
    scale = 1 / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon)
    normalised = centred * scale
    return normalised * gain + bias, (normalised, scale)


class Transformer:
    """
    The network of a run for one minibatch: `logits` after construction, gradients from `backward`.

    tokens [example, row], positions [example, query], noise [example, width of the variable table] or None.
    """

    def __init__(self, model, parameters, tokens, positions, noise):
        self.model, self.p = model, parameters
        self.tokens, self.positions = tokens, positions
        self.saved = []
        p, words = self.p, self.p["embed_in.weight"].shape[0]
        self.is_variable = tokens >= words
        x = p["embed_in.weight"][np.where(self.is_variable, 0, tokens)]
        if model["variableEmbedding"] is not None:
            self.variables = tokens.max(1) - words
            x = np.where(self.is_variable[..., None], self.variable_rows(noise)[:, None, :], x)
        x = x + p["embed_position.weight"][: tokens.shape[1]]
        for i in range(model["layers"]):
            x = self.block(x, f"layers.{i}")
        self.rows = (np.arange(len(tokens))[:, None], positions)
        self.shape = x.shape
        asked, self.final_saved = self.norm(x[self.rows], "final_layer_norm")
        self.asked = asked
        self.logits = asked @ p["embed_out.weight"]

    def variable_rows(self, noise):
        """Embedding of each example's variable: e / rms(e) + noise, then a linear map."""
        how = self.model["variableEmbedding"]
        row = self.p["variable_embedding.weight"][self.variables]
        self.row = row
        self.scale = np.ones((len(row), 1))
        if how["normalise"] == "rms":
            self.scale = 1 / np.sqrt((row**2).mean(-1, keepdims=True) + how["epsilon"])
        noisy = row * self.scale
        if noise is not None:
            noisy = noisy + noise
        self.noisy = noisy
        return noisy @ self.p["variable_projection.weight"] if how["projection"] else noisy

    def norm(self, x, name):
        return layer_norm(x, self.p[f"{name}.weight"], self.p[f"{name}.bias"], self.model["layerNormEpsilon"])

    def linear(self, x, name):
        return x @ self.p[f"{name}.weight"] + self.p[f"{name}.bias"]

    def block(self, x, name):
        heads = self.model["heads"]
        examples, rows, width = x.shape
        normed, norm1 = self.norm(x, f"{name}.input_layernorm")
        projected = self.linear(normed, f"{name}.attention.query_key_value")
        q, k, v = (
            part.reshape(examples, rows, heads, width // heads).transpose(0, 2, 1, 3)
            for part in np.split(projected, 3, -1)
        )
        scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(width // heads)
        scores = np.where(np.tri(rows, dtype=bool), scores, -np.inf)
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        weights /= weights.sum(-1, keepdims=True)
        mixed = (weights @ v).transpose(0, 2, 1, 3).reshape(x.shape)
        after = x + self.linear(mixed, f"{name}.attention.dense")
        source = x if self.model["residual"] == "parallel" else after
        normed2, norm2 = self.norm(source, f"{name}.post_attention_layernorm")
        inner = self.linear(normed2, f"{name}.mlp.dense_h_to_4h")
        cumulative = (1 + erf(inner / math.sqrt(2))) / 2
        hidden = inner * cumulative
        self.saved.append((normed, norm1, q, k, v, weights, mixed, normed2, norm2, inner, cumulative, hidden))
        return after + self.linear(hidden, f"{name}.mlp.dense_4h_to_h")

    def backward(self, slope):
        """name -> gradient, for the gradient `slope` [example, query, answer] of the loss at the logits."""
        self.g = {name: np.zeros_like(value) for name, value in self.p.items()}
        self.g["embed_out.weight"] += np.einsum("bqi,bqo->io", self.asked, slope)
        asked = self.norm_back(slope @ self.p["embed_out.weight"].T, self.final_saved, "final_layer_norm")
        dx = np.zeros(self.shape)
        np.add.at(dx, self.rows, asked)
        for i in reversed(range(self.model["layers"])):
            dx = self.block_back(dx, f"layers.{i}", self.saved[i])
        self.g["embed_position.weight"][: dx.shape[1]] += dx.sum(0)
        np.add.at(self.g["embed_in.weight"], self.tokens[~self.is_variable], dx[~self.is_variable])
        if self.model["variableEmbedding"] is not None:
            self.variables_back(np.where(self.is_variable[..., None], dx, 0).sum(1))
        return self.g

    def variables_back(self, d):
        how = self.model["variableEmbedding"]
        if how["projection"]:
            self.g["variable_projection.weight"] += self.noisy.T @ d
            d = d @ self.p["variable_projection.weight"].T
        if how["normalise"] == "rms":
            normalised = self.row * self.scale
            d = self.scale * (d - normalised * (d * normalised).mean(-1, keepdims=True))
        np.add.at(self.g["variable_embedding.weight"], self.variables, d)

    def norm_back(self, d, saved, name):
        normalised, scale = saved
        axes = tuple(range(d.ndim - 1))
        self.g[f"{name}.weight"] += (d * normalised).sum(axes)
        self.g[f"{name}.bias"] += d.sum(axes)
        d = d * self.p[f"{name}.weight"]
        return scale * (d - d.mean(-1, keepdims=True) - normalised * (d * normalised).mean(-1, keepdims=True))

    def linear_back(self, d, x, name):
        self.g[f"{name}.weight"] += np.einsum("bti,bto->io", x, d)
        self.g[f"{name}.bias"] += d.sum((0, 1))
        return d @ self.p[f"{name}.weight"].T

    def block_back(self, d, name, saved):
        normed, norm1, q, k, v, weights, mixed, normed2, norm2, inner, cumulative, hidden = saved
        dinner = self.linear_back(d, hidden, f"{name}.mlp.dense_4h_to_h")
        density = np.exp(-(inner**2) / 2) / math.sqrt(2 * math.pi)
        dinner = dinner * (cumulative + inner * density)
        dsource = self.linear_back(dinner, normed2, f"{name}.mlp.dense_h_to_4h")
        dsource = self.norm_back(dsource, norm2, f"{name}.post_attention_layernorm")
        parallel = self.model["residual"] == "parallel"
        dafter = d if parallel else d + dsource
        dmixed = self.linear_back(dafter, mixed, f"{name}.attention.dense")
        examples, heads, rows, size = q.shape
        dmixed = dmixed.reshape(examples, rows, heads, size).transpose(0, 2, 1, 3)
        dweights = dmixed @ v.transpose(0, 1, 3, 2)
        dscores = weights * (dweights - (dweights * weights).sum(-1, keepdims=True)) / math.sqrt(size)
        parts = (dscores @ k, dscores.transpose(0, 1, 3, 2) @ q, weights.transpose(0, 1, 3, 2) @ dmixed)
        joined = np.concatenate([part.transpose(0, 2, 1, 3).reshape(examples, rows, -1) for part in parts], -1)
        dnormed = self.linear_back(joined, normed, f"{name}.attention.query_key_value")
        dx = dafter + self.norm_back(dnormed, norm1, f"{name}.input_layernorm")
        return dx + dsource if parallel else dx


# The minibatch.


def check_supported(run, info):
    model, loss = info.get("model"), info.get("loss")
    if model is None or loss is None:
        raise Refused(f"{run}/run.json: no entries model and loss; the run is of an older version")
    if model["kind"] != "transformer" or model["positions"] != "learned" or model["tiedEmbedding"]:
        raise Refused(f"{run}: this recomputes transformers with learned positions and an untied output only")
    if loss["target"] != "answer":
        raise Refused(f"{run}: this recomputes losses on the answer only, not on {loss['target']}")
    return model, loss


def minibatch(run, info, batch):
    """The examples of a row of `batches`, and the noise that training added."""
    rows = needed(run, "examples")
    if rows["example"].to_pylist() != list(range(rows.num_rows)):
        raise Refused(f"{run}: the table examples is not in the order of its numbers")
    chosen = rows.take(batch["examples"])
    fields = {
        name: np.array(chosen[name].to_pylist(), kind)
        for name, kind in [("tokens", int), ("positions", int), ("labels", int), ("weights", np.float64)]
    }
    how = info["model"]["variableEmbedding"]
    noise = None
    if how is not None and how["noise"] > 0:
        stream = Stream(info["seed"], f"noise/{batch['stage']}/{batch['stage_step']}")
        drawn = [how["noise"] * stream.normal() for _ in range(rows_of(fields) * how["width"])]
        # Training holds it in float32.
        noise = np.array(drawn, np.float32).astype(np.float64).reshape(-1, how["width"])
    return fields, np.array(chosen["group"].to_pylist()), noise


def rows_of(fields):
    return len(fields["tokens"])


def loss_and_slope(logits, fields, normalisation):
    """The loss of the minibatch and its gradient at the logits."""
    weights = fields["weights"]
    scale = 1 / len(weights) if normalisation == "example" else 1 / weights.sum()
    shifted = logits - logits.max(-1, keepdims=True)
    probabilities = np.exp(shifted)
    total = probabilities.sum(-1, keepdims=True)
    at_label = np.take_along_axis(shifted - np.log(total), fields["labels"][..., None], -1)[..., 0]
    slope = probabilities / total
    np.put_along_axis(
        slope, fields["labels"][..., None], np.take_along_axis(slope, fields["labels"][..., None], -1) - 1, -1
    )
    return -(at_label * weights).sum() * scale, slope * weights[..., None] * scale


def group_gradients(run, info, batch, parameters):
    """Loss of the minibatch, and group -> name -> share of the gradient; `minibatch` is the sum over groups."""
    fields, groups, noise = minibatch(run, info, batch)
    network = Transformer(info["model"], parameters, fields["tokens"], fields["positions"], noise)
    loss, slope = loss_and_slope(network.logits, fields, info["loss"]["normalisation"])
    shares = {
        group: network.backward(np.where((groups == group)[:, None, None], slope, 0))
        for group in dict.fromkeys(groups)
    }
    shares["minibatch"] = {name: sum(share[name] for share in shares.values()) for name in parameters}
    return loss, shares


# The comparison.


class Comparison:
    """Collects relative differences; `worst` by kind."""

    def __init__(self):
        self.worst = {}

    def add(self, kind, what, computed, logged, scale):
        difference = abs(computed - logged) / scale if scale > 0 else abs(computed - logged)
        count, largest = self.worst.get(kind, (0, None))
        # Not `>`: a NaN must win.
        if largest is None or not difference <= largest[0]:
            largest = (difference, what, computed, logged)
        self.worst[kind] = (count + 1, largest)

    def report(self, tolerance):
        print(f"{'':24} {'compared':>9}  largest difference (relative)")
        for kind, (count, (difference, what, computed, logged)) in self.worst.items():
            print(f"{kind:24} {count:9}  {difference:.2e}  {what}: computed {computed:.9g}, logged {logged:.9g}")
        return all(difference <= tolerance for _, (difference, *_) in self.worst.values())


def compare(run, step, loss, shares):
    """All that the run logged of a step, against what was computed."""

    def inner(a, b, tensor):
        names = shares[a] if tensor == "total" else [tensor]
        return sum(float(np.vdot(shares[a][name], shares[b][name])) for name in names)

    def norm(group, tensor):
        return math.sqrt(inner(group, group, tensor))

    def scale(group, tensor):
        return max(norm(group, tensor), FLOOR * norm(group, "total"))

    result = Comparison()
    (logged,) = at_step(needed(run, "steps"), step)
    result.add("loss", f"step {step}", loss, logged["loss"], logged["loss"])
    result.add("norm of the minibatch", "steps.grad_norm", norm("minibatch", "total"), logged["grad_norm"],
               logged["grad_norm"])
    for row in at_step(needed(run, "gradients"), step):
        group, tensor = row["group"], row["tensor"]
        kind = "norms of groups" if tensor == "total" else "norms of their tensors"
        if group not in shares:
            raise Refused(f"{run}: gradients logged of {group}, which the minibatch does not hold")
        result.add(kind, f"{group} {tensor}", norm(group, tensor), math.sqrt(row["norm2"]), scale(group, tensor))
    for row in at_step(table(run, "gram") or needed(run, "gradients").slice(0, 0), step):
        a, b, tensor = row["group_a"], row["group_b"], row["tensor"]
        kind = "inner products" if tensor == "total" else "of their tensors"
        result.add(kind, f"{a} . {b} {tensor}", inner(a, b, tensor), row["inner"], scale(a, tensor) * scale(b, tensor))
    vectors = table(run, "vectors")
    for row in [] if vectors is None else at_step(vectors, step):
        group, tensor, first = row["group"], row["tensor"], row["offset"]
        values = np.array(row["values"])
        own = shares[group][tensor].reshape(-1)[first : first + len(values)]
        distance = float(np.linalg.norm(own - values))
        result.add("whole gradients", f"{group} {tensor}", distance, 0.0, scale(group, tensor))
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=pathlib.Path, help="folder of a run")
    parser.add_argument("--step", type=int, help="step to recompute; a checkpoint of the step before it must be there")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="largest relative difference (1e-4)")
    options = parser.parse_args()
    run = options.run
    try:
        info = json.loads((run / "run.json").read_text())
        check_supported(run, info)
        batches, gradients = needed(run, "batches"), needed(run, "gradients")
        step = choose_step(run, info, batches, gradients) if options.step is None else options.step
        found = at_step(batches, step)
        if not found or not at_step(gradients, step):
            raise Refused(f"{run}: step {step} is not among the steps whose gradients were logged")
        if not (run / "checkpoints" / f"step-{step - 1:08d}.safetensors").exists():
            raise Refused(f"{run}: no checkpoint after step {step - 1}; choose the step after a kept one")
        loss, shares = group_gradients(run, info, found[0], checkpoint(run, step - 1))
        groups = ", ".join(group for group in shares if group != "minibatch")
        print(f"{run}: step {step} ({found[0]['stage']}), {len(found[0]['examples'])} examples of {groups}")
        good = compare(run, step, loss, shares).report(options.tolerance)
    except (Refused, OSError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(f"{'all' if good else 'NOT all'} differences are at most {options.tolerance:g}")
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
