"""Make vae_lab/assets/pretrained.npz: train the digit classifier and the plain autoencoder on MNIST-5k's train part.

Run once, about two minutes on two cores; the result is kept.

    python tools/make_pretrained.py

The classifier sees digits moved by up to two pixels, mixtures of two digits with the label mixed alike (Zhang et al.
2018), and images of noise and of torn digits with no label at all: it should be unsure of what is no digit.
Weights are kept in float16.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot, pad, softmax

from vae_lab.data import load_images
from vae_lab.models import Autoencoder
from vae_lab.pretrained import ASSET, Classifier
from vae_lab.training import fit

EPOCHS_CLASSIFIER, EPOCHS_AUTOENCODER, BATCH = 30, 60, 100


def moved(x: Tensor) -> Tensor:
    """The images [B, 1, 28, 28], each moved by up to two pixels."""
    big = pad(x, (2, 2, 2, 2))
    corners = torch.randint(0, 5, (len(x), 2)).tolist()
    return torch.stack([image[:, i : i + 28, j : j + 28] for image, (i, j) in zip(big, corners, strict=True)])


def no_digits(x: Tensor) -> Tensor:
    """Images with the ink of digits but no digit: sums of faded digits, digits in pieces, grey noise."""
    sums = (0.45 * (x + x[torch.randperm(len(x))] + x[torch.randperm(len(x))])).clamp(0, 1)
    pieces = x.unfold(2, 7, 7).unfold(3, 7, 7).reshape(len(x), 16, 7, 7)[:, torch.randperm(16)]
    torn = pieces.reshape(len(x), 4, 4, 7, 7).permute(0, 1, 3, 2, 4).reshape(len(x), 1, 28, 28)
    noise = (x + 0.6 * torch.randn_like(x)).clamp(0, 1) * torch.rand(len(x), 1, 1, 1) + 0.3 * torch.rand_like(x)
    kind = torch.randint(0, 3, (len(x), 1, 1, 1))
    return torch.where(kind == 0, sums, torch.where(kind == 1, torn, noise.clamp(0, 1)))


def train_classifier(images: Tensor, labels: Tensor) -> Classifier:
    """A classifier trained with mixed and with meaningless images."""
    model = Classifier()
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-2)
    steps = EPOCHS_CLASSIFIER * math.ceil(len(images) / BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for epoch in range(EPOCHS_CLASSIFIER):
        for index in torch.randperm(len(images)).split(BATCH):
            x, target = moved(images[index]), one_hot(labels[index], 10).float()
            other, share = torch.randperm(len(x)), torch.rand(len(x), 1)
            share = torch.where(torch.rand(len(x), 1) < 0.5, torch.ones_like(share), share)  # half of them unmixed
            mixed = share[..., None, None] * x + (1 - share[..., None, None]) * x[other]
            nothing = torch.full((len(x), 10), 0.1)
            logits = model(torch.cat([mixed, no_digits(x)]))
            loss = cross_entropy(logits, torch.cat([share * target + (1 - share) * target[other], nothing]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"classifier, epoch {epoch + 1} of {EPOCHS_CLASSIFIER}: loss {loss.item():.3f}", flush=True)
    return model.eval()


def main() -> None:
    """Train both, say how good they are on the test part, and write the file."""
    torch.manual_seed(0)
    images, labels = (tensor for tensor in load_images())
    images = images / 255
    test, test_labels = load_images(train=False)
    test = test / 255
    classifier = train_classifier(images, labels)
    autoencoder = Autoencoder(latent_dim=8, hidden=(128,), data_shape=(784,))
    fit(autoencoder, images.flatten(1), epochs=EPOCHS_AUTOENCODER, batch_size=64)
    with torch.no_grad():
        right = (classifier(test).argmax(1) == test_labels).float().mean()
        sure = softmax(classifier(test), 1).max(1).values
        error = autoencoder.loss_terms(test.flatten(1)).reconstruction.mean()
    print(f"classifier: {right:.1%} of the test part right; sure (0.9) of {(sure >= 0.9).float().mean():.1%}")
    print(f"autoencoder: {error:.1f} nats per image on the test part")
    arrays = {}
    for name, model in (("autoencoder", autoencoder), ("classifier", classifier)):
        arrays |= {f"{name}/{key}": value.numpy().astype(np.float16) for key, value in model.state_dict().items()}
    np.savez_compressed(ASSET, **arrays)
    print(f"{ASSET.name}: {ASSET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
