"""A table of results: numbers as they are wanted, heads that a screen reader finds, nothing that could be markup."""

import pytest
import torch
from bs4 import BeautifulSoup

from vae_lab.tables import Table


@pytest.fixture
def table():
    made = Table("model", "loss:.1f", "share:.0%")
    made.add("VAE", torch.tensor(154.23), 0.125)
    made.add("<b>none</b>", "no unit", None)
    return made


def test_numbers_are_written_in_the_format_of_their_column(table):
    assert table.rows == [("VAE", "154.2", "12%"), ("<b>none</b>", "no unit", "–")]


def test_a_list_is_written_number_by_number():
    made = Table("model", "loss of three seeds:.1f")
    made.add("VAE", [torch.tensor(154.23), 153.0, None])
    assert made.rows == [("VAE", "154.2 153.0 –")]
    (cell,) = BeautifulSoup(made._repr_html_(), "html.parser").select("td")
    assert cell.text == "154.2 153.0 –"
    assert [seed.text for seed in cell.select(".seed")] == ["154.2", "153.0", "–"]


def test_text_is_aligned(table):
    lines = str(table).splitlines()
    assert len(lines) == 3
    assert len({line.rindex(end) + len(end) for line, end in zip(lines, ("share", "12%", "–"), strict=True)}) == 1


def test_html_has_heads_for_columns_and_rows_and_no_markup_of_a_cell(table):
    page = BeautifulSoup(table._repr_html_(), "html.parser")
    assert [head.text for head in page.select('thead th[scope="col"]')] == ["model", "loss", "share"]
    assert [head.text for head in page.select('tbody th[scope="row"]')] == ["VAE", "<b>none</b>"]
    assert [cell.text for cell in page.select("td")] == ["154.2", "12%", "no unit", "–"]


def test_a_row_of_another_length_and_a_table_of_nothing_are_refused(table):
    with pytest.raises(ValueError, match="2 cells for 3 columns"):
        table.add("VAE", 1.0)
    with pytest.raises(ValueError, match="no columns"):
        Table()
