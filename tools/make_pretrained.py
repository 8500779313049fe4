"""Make vae_lab/assets/pretrained.npz: train the digit classifier and the plain autoencoder on MNIST-5k's train part.

Run once, about two minutes on two cores; the result is kept.

    python tools/make_pretrained.py

The classifier sees digits moved by up to two pixels, half of them softened as a decoder's are, so that it is sure of a
soft digit too. Weights are kept in float16.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, cross_entropy, pad, softmax

from vae_lab.data import load_images
from vae_lab.models import Autoencoder
from vae_lab.pretrained import Classifier
from vae_lab.shipped import ASSETS
from vae_lab.training import fit

TARGET = ASSETS / "pretrained.npz"
EPOCHS_CLASSIFIER, EPOCHS_AUTOENCODER, BATCH = 20, 40, 100


def moved(x: Tensor) -> Tensor:
    """The images [B, 1, 28, 28], each moved by up to two pixels."""
    big = pad(x, (2, 2, 2, 2))
    corners = torch.randint(0, 5, (len(x), 2)).tolist()
    return torch.stack([image[:, i : i + 28, j : j + 28] for image, (i, j) in zip(big, corners, strict=True)])


def softened(x: Tensor) -> Tensor:
    """The images, every other one softened by a mean over 3 x 3 pixels and brought back to full ink."""
    soft = (1.5 * avg_pool2d(x, 3, stride=1, padding=1)).clamp(0, 1)
    return torch.where(torch.rand(len(x), 1, 1, 1) < 0.5, soft, x)


def train_classifier(images: Tensor, labels: Tensor) -> Classifier:
    """A classifier of digits that were moved and softened."""
    model = Classifier()
    steps = EPOCHS_CLASSIFIER * math.ceil(len(images) / BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=4e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for epoch in range(EPOCHS_CLASSIFIER):
        for index in torch.randperm(len(images)).split(BATCH):
            loss = cross_entropy(model(softened(moved(images[index]))), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        print(f"classifier, epoch {epoch + 1} of {EPOCHS_CLASSIFIER}: loss {loss.item():.3f}", flush=True)
    return model.eval()


def main() -> None:
    """Train both, say how good they are on the test part, and write the file."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    images, labels = (tensor for tensor in load_images())
    images = images / 255
    test, test_labels = load_images(train=False)
    test = test / 255
    classifier = train_classifier(images, labels)
    torch.manual_seed(0)
    autoencoder = Autoencoder(latent_dim=8, hidden=(128,), data_shape=(784,))
    fit(autoencoder, images.flatten(1), epochs=EPOCHS_AUTOENCODER, batch_size=64, progress=False)
    with torch.no_grad():
        right = (classifier(test).argmax(1) == test_labels).float().mean()
        sure = softmax(classifier(test), 1).max(1).values
        error = autoencoder.loss_terms(test.flatten(1)).reconstruction.mean()
    print(f"classifier: {right:.1%} of the test part right; sure (0.9) of {(sure >= 0.9).float().mean():.1%}")
    print(f"autoencoder: {error:.1f} nats per image on the test part")
    arrays = {}
    for name, model in (("autoencoder", autoencoder), ("classifier", classifier)):
        arrays |= {f"{name}/{key}": value.numpy().astype(np.float16) for key, value in model.state_dict().items()}
    np.savez_compressed(TARGET, **arrays)
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
