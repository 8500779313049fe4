"""A sheet of images: the order of its images, and bytes like floats."""

import pytest
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


def test_names_stand_over_their_rows_and_columns():
    ax = plots.image_sheet(torch.ones(4 * 6, 28, 28), columns=6, rows=["one", "two"], above=["left", "right"])
    words = {text.get_text(): text.get_position() for text in ax.texts}
    assert list(words) == ["left", "right", "one", "two"]
    assert words["left"][0] == words["one"][0] == 0
    assert words["right"][0] == 3 * 28
    sheet = ax.images[0].get_array()
    for name in words:  # on a strip without images
        assert not sheet[int(words[name][1])].any(), name
    first, second = (int(words[name][1]) for name in ("one", "two"))
    assert (sheet[first:second].all(1)).sum() == 2 * 28, "two rows of images for each name"


@pytest.mark.parametrize("names", [{"rows": ["a", "b", "c"]}, {"above": ["a", "b", "c", "d"]}])
def test_names_that_do_not_share_out_evenly_are_refused(names):
    with pytest.raises(ValueError, match="cannot be shared out"):
        plots.image_sheet(torch.zeros(4 * 6, 28, 28), columns=6, **names)
