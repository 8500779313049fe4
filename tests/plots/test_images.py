"""A sheet of images: the order of its images, and bytes like floats."""

import torch

from vae_lab import plots


def test_image_sheet_reads_bytes_and_floats_alike():
    images = torch.randint(0, 256, (4, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    one, two = plots.image_sheet(images), plots.image_sheet(images / 255)
    assert (one.images[0].get_array() == two.images[0].get_array()).all()


def test_image_sheet_lays_images_out_row_by_row():
    images = torch.stack([torch.full((2, 2), i * 50 / 255) for i in range(5)])
    sheet = plots.image_sheet(images, columns=3).images[0].get_array()
    assert sheet[::2, ::2].tolist() == [[0, 50, 100], [150, 200, 0]]
