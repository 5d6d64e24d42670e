"""The specs that train, written again in PyTorch: the same layers, first values, losses, optimizers and schedules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

Rows = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class Peer:
    """A model in PyTorch, and how it is trained where that differs from one spec to another.

    Attributes:
        net: makes the layers, for the dtype that is the default.
        loss: of what the layers give for some rows.
        metric: a number about all rows of a data set.
        inputs: the input that goes into the layers.
        optimizer: for groups of parameters: weights, then biases and norms.
        rate: a factor of the learning rate for the number of a step, from 0, and the number of all steps.
        clip: the greatest length of all gradients together.
    """

    net: Callable[[], nn.Module]
    loss: Callable[[torch.Tensor, Rows], torch.Tensor]
    metric: Callable[[torch.Tensor, Rows], float]
    inputs: str
    optimizer: Callable[[list[dict[str, Any]]], torch.optim.Optimizer]
    rate: Callable[[int, int], float] = lambda step, total: 1.0
    clip: float | None = None


# -- layers ------------------------------------------------------------------------------------------------------------


def glorot(net: nn.Module) -> nn.Module:
    """Give the layers the first values that the library of graphspec gives them."""
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return net


def perceptron(*sizes: int, activation: type[nn.Module] = nn.ReLU, dropout: float = 0.0) -> nn.Module:
    layers: list[nn.Module] = [nn.Flatten()]
    for before, after in pairwise(sizes[:-1]):
        layers += [nn.Linear(before, after), activation()]
    return glorot(nn.Sequential(*layers, nn.Dropout(dropout), nn.Linear(sizes[-2], sizes[-1])))


def zero_linear(features: int, bias: float = 0.0) -> nn.Module:
    layer = nn.Linear(features, 1)
    nn.init.zeros_(layer.weight)
    nn.init.constant_(layer.bias, bias)
    return layer


def convolutional() -> nn.Module:
    return glorot(
        nn.Sequential(
            *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU()),
            *(nn.MaxPool2d(2), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Flatten()),
            *(nn.Dropout(0.25), nn.Linear(512, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 10)),
        )
    )


def autoencoder() -> nn.Module:
    layers = (nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8), nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64))
    return glorot(nn.Sequential(*layers, nn.Sigmoid()))


class Block(nn.Module):
    """One block of a transformer that normalises first."""

    def __init__(self, features: int, heads: int, dropout: float):
        super().__init__()
        self.heads, self.dropout = heads, nn.Dropout(dropout)
        self.norm1, self.norm2 = nn.LayerNorm(features), nn.LayerNorm(features)
        self.packed, self.mix = nn.Linear(features, 3 * features), nn.Linear(features, features)
        self.hidden, self.out = nn.Linear(features, 4 * features), nn.Linear(4 * features, features)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        rows, places, features = x.shape
        apart = self.packed(self.norm1(x)).reshape(rows, places, 3, self.heads, features // self.heads)
        queries, keys, values = apart.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        x = x + self.dropout(self.mix(mixed.permute(0, 2, 1, 3).reshape(rows, places, features)))
        return x + self.dropout(self.out(F.relu(self.hidden(self.norm2(x)))))


class Characters(nn.Module):
    """The decoder-only transformer of `characters.yaml`."""

    def __init__(self, vocabulary: int = 128, context: int = 64, features: int = 48, heads: int = 4, layers: int = 2):
        super().__init__()
        self.tokens = nn.Parameter(0.02 * torch.randn(vocabulary, features))
        self.places = nn.Parameter(0.02 * torch.randn(context, features))
        self.blocks = nn.Sequential(*(Block(features, heads, 0.1) for _ in range(layers)))
        self.norm, self.logits = nn.LayerNorm(features), nn.Linear(features, vocabulary)
        glorot(self)

    def forward(self, text: torch.Tensor) -> torch.Tensor:
        token = text[:, :-1]
        x = self.tokens[token] + self.places[: token.shape[1]]
        return self.logits(self.norm(self.blocks(x)))


# -- losses and metrics ------------------------------------------------------------------------------------------------


def classes(label: str) -> dict[str, Callable[[torch.Tensor, Rows], Any]]:
    return {
        "loss": lambda logits, rows: F.cross_entropy(logits, rows[label]),
        "metric": lambda logits, rows: (logits.argmax(-1) == rows[label]).double().mean().item(),
    }


def r2(prediction: torch.Tensor, target: torch.Tensor) -> float:
    mean = target.mean(0) if target.ndim > 1 else target.mean()
    return 1 - (torch.square(prediction - target).sum() / torch.square(target - mean).sum()).item()


def cosine(step: int, total: int) -> float:
    return (1 + math.cos(math.pi * min(step, total) / total)) / 2


def warm(steps: int) -> Callable[[int, int], float]:
    return lambda step, total: min(1.0, step / steps) * cosine(step, total)


def adam(rate: float) -> Callable[[list[dict[str, Any]]], torch.optim.Optimizer]:
    return lambda groups: torch.optim.Adam(groups, lr=rate)


def adamw(rate: float, decay: float) -> Callable[[list[dict[str, Any]]], torch.optim.Optimizer]:
    return lambda groups: torch.optim.AdamW([{**groups[0], "weight_decay": decay}, groups[1]], lr=rate, weight_decay=0)


def sgd(rate: float, momentum: float, nesterov: bool = False) -> Callable[[Any], torch.optim.Optimizer]:
    return lambda groups: torch.optim.SGD(groups, lr=rate, momentum=momentum, nesterov=nesterov)


def following(logits: torch.Tensor, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    return logits.reshape(-1, logits.shape[-1]), rows["text"][:, 1:].reshape(-1)


BENIGN = {
    "loss": lambda z, rows: F.binary_cross_entropy_with_logits(z[:, 0], rows["benign"]),
    "metric": lambda z, rows: ((z[:, 0] > 0) == (rows["benign"] == 1)).double().mean().item(),
}
PEERS = {
    "xor": Peer(
        lambda: perceptron(2, 4, 1, activation=nn.Tanh),
        lambda y, rows: F.mse_loss(y, rows["target"]),
        lambda y, rows: ((y > 0.5) == (rows["target"] == 1)).double().mean().item(),
        "x",
        sgd(0.2, 0.9),
    ),
    "two_moons": Peer(
        lambda: perceptron(2, 16, 16, 2, activation=nn.Tanh), **classes("label"), inputs="x", optimizer=adam(0.01)
    ),
    "iris_linear": Peer(lambda: perceptron(4, 3), **classes("species"), inputs="flower", optimizer=adam(0.05)),
    "iris_mlp": Peer(
        lambda: perceptron(4, 16, 3, activation=nn.Tanh),
        **classes("species"),
        inputs="flower",
        optimizer=adamw(0.01, 0.01),
    ),
    "breast_cancer_linear": Peer(lambda: zero_linear(30), **BENIGN, inputs="nuclei", optimizer=adamw(0.03, 0.1)),
    "breast_cancer_mlp": Peer(
        lambda: perceptron(30, 32, 1, dropout=0.3), **BENIGN, inputs="nuclei", optimizer=adamw(0.002, 1)
    ),
    "diabetes_linear": Peer(
        lambda: zero_linear(10, 150.0),
        lambda y, rows: F.mse_loss(y[:, 0], rows["progression"]),
        lambda y, rows: r2(y[:, 0], rows["progression"]),
        "patient",
        sgd(0.1, 0.95, nesterov=True),
    ),
    "diabetes_mlp": Peer(
        lambda: perceptron(10, 16, 1, activation=nn.Tanh),
        lambda y, rows: F.mse_loss(y[:, 0], (rows["progression"] - 150) / 75),
        lambda y, rows: r2(y[:, 0], (rows["progression"] - 150) / 75),
        "patient",
        adamw(0.01, 1),
    ),
    "digits_linear": Peer(lambda: perceptron(64, 10), **classes("label"), inputs="image", optimizer=adam(0.01)),
    "digits_mlp": Peer(
        lambda: perceptron(64, 256, 10, dropout=0.3),
        **classes("label"),
        inputs="image",
        optimizer=adam(5e-3),
        rate=cosine,
    ),
    "digits_cnn": Peer(convolutional, **classes("label"), inputs="image", optimizer=adam(5e-3), rate=cosine),
    "digits_autoencoder": Peer(
        autoencoder,
        lambda y, rows: F.mse_loss(y, rows["image"]),
        lambda y, rows: r2(y, rows["image"]),
        "image",
        adam(4e-3),
        warm(100),
    ),
    "characters": Peer(
        Characters,
        lambda logits, rows: F.cross_entropy(*following(logits, rows)),
        lambda logits, rows: F.cross_entropy(*following(logits, rows)).item(),
        "text",
        adamw(3e-3, 0.1),
        warm(50),
        1.0,
    ),
}


# -- training ----------------------------------------------------------------------------------------------------------


class Training:
    """The loop that one writes for PyTorch: the rows of a batch are gathered from tensors by a shuffled index."""

    def __init__(self, peer: Peer, rows: Mapping[str, np.ndarray], batch: int | None, epochs: int, seed: int):
        torch.manual_seed(seed)
        self.peer = peer
        self.rows = {name: torch.from_numpy(array.copy()) for name, array in rows.items()}
        self.count = len(next(iter(rows.values())))
        self.batch = batch or self.count
        self.total = epochs * -(-self.count // self.batch)
        torch.set_default_dtype(next((x.dtype for x in self.rows.values() if x.is_floating_point()), torch.float32))
        self.net = peer.net()
        named = list(self.net.named_parameters())
        kept = [x for name, x in named if name.endswith("bias") or "norm" in name]
        groups = [{"params": [x for _, x in named if all(x is not y for y in kept)]}, {"params": kept}]
        self.optimizer = peer.optimizer(groups)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimizer, lambda step: peer.rate(step, self.total))

    def batches(self) -> Iterator[Rows]:
        order = torch.randperm(self.count)
        for start in range(0, self.count, self.batch):
            chosen = order[start : start + self.batch]
            yield {name: array[chosen] for name, array in self.rows.items()}

    def epoch(self) -> float:
        """Go through the rows once; return the mean of the loss."""
        self.net.train()
        total = 0.0
        for rows in self.batches():
            self.optimizer.zero_grad()
            loss = self.peer.loss(self.net(rows[self.peer.inputs]), rows)
            loss.backward()
            if self.peer.clip is not None:
                nn.utils.clip_grad_norm_(self.net.parameters(), self.peer.clip)
            self.optimizer.step()
            self.schedule.step()
            total += loss.item() * len(rows[self.peer.inputs])
        return total / self.count

    @torch.no_grad()
    def evaluate(self, rows: Mapping[str, np.ndarray]) -> float:
        self.net.eval()
        tensors = {name: torch.from_numpy(array.copy()) for name, array in rows.items()}
        return self.peer.metric(self.net(tensors[self.peer.inputs]), tensors)
