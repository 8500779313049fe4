"""The loop as it is usually written, after PyTorch's own VAE example (github.com/pytorch/examples, vae/main.py)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision import datasets, transforms

from benchmarks.training.work import BATCH, HIDDEN, LATENT, PIXELS, RATE, Weights, Work, copy_into


class ExampleVAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1 = nn.Linear(PIXELS, HIDDEN)
        self.fc21 = nn.Linear(HIDDEN, LATENT)
        self.fc22 = nn.Linear(HIDDEN, LATENT)
        self.fc3 = nn.Linear(LATENT, HIDDEN)
        self.fc4 = nn.Linear(HIDDEN, PIXELS)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        h = F.relu(self.fc1(x.view(-1, PIXELS)))
        mu, logvar = self.fc21(h), self.fc22(h)
        z = mu + torch.randn_like(mu) * torch.exp(0.5 * logvar)
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z)))), mu, logvar


def loader(work: Work) -> DataLoader:
    """Batches of images, each read and scaled by itself; a worker process on a GPU only, as in the example."""
    on_gpu = {"num_workers": 1, "pin_memory": True, "persistent_workers": True} if work.device.type == "cuda" else {}
    data: Dataset = datasets.MNIST(work.root, train=True, transform=transforms.ToTensor())
    if len(work.images) < len(data):  # a warm-up
        data = Subset(data, range(len(work.images)))
    return DataLoader(data, batch_size=BATCH, shuffle=True, **on_gpu)


def prepare(weights: Weights, work: Work) -> tuple[Callable[[], object], Callable[[], Weights]]:
    """A function that trains, which is timed, and one that gives the weights."""
    model, batches = ExampleVAE(), loader(work)
    heads = [half for both in weights[2:4] for half in both.chunk(2)]  # W mu, W logvar, b mu, b logvar
    copy_into(list(model.parameters()), [*weights[:2], heads[0], heads[2], heads[1], heads[3], *weights[4:]])
    model.to(work.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)

    def train() -> None:
        for _ in range(work.epochs):
            train_loss = 0.0
            for data, _ in batches:
                data = data.to(work.device)
                optimizer.zero_grad()
                reconstruction, mu, logvar = model(data)
                error = F.binary_cross_entropy(reconstruction, data.view(-1, PIXELS), reduction="sum")
                loss = error - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
                loss.backward()
                train_loss += loss.item()
                optimizer.step()

    def trained() -> Weights:
        p = [parameter.detach() for parameter in model.parameters()]
        return [*p[:2], torch.cat([p[2], p[4]]), torch.cat([p[3], p[5]]), *p[6:]]

    return train, trained
