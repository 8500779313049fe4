"""The walk through the published notebooks finds what fails, and does not touch what it walks through."""

import json
import socket
from pathlib import Path

import nbformat
import pytest

from tools.walk import fill_in, serve, walk

ROOT = Path(__file__).parents[2]


def write(path, *sources):
    cells = [
        {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for source in sources
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))


# nbclient's kernel says on its way up that it talks to this machine alone without encryption
@pytest.mark.filterwarnings("default")
def test_a_failing_notebook_is_named_and_the_others_still_run(tmp_path, capsys):
    write(tmp_path / "notebooks" / "good.ipynb", "open('here', 'w').write('x')")
    write(tmp_path / "notebooks" / "bad.ipynb", "1", "raise ValueError('no')")
    before = (tmp_path / "notebooks" / "good.ipynb").read_bytes()
    kernels = tmp_path / "kernels"
    kernels.mkdir()
    assert walk(tmp_path, kernels) == ["notebooks/bad.ipynb  FAILED  ValueError: no"]
    assert (kernels / "here").read_text() == "x"
    assert (tmp_path / "notebooks" / "good.ipynb").read_bytes() == before
    said = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in said] == ["notebooks/bad.ipynb", "notebooks/good.ipynb"]


@pytest.mark.parametrize("path", sorted((ROOT / "labs").glob("*/*.ipynb")), ids=lambda path: path.stem)
def test_answers_are_filled_in(path):
    lab = nbformat.read(path, as_version=4)
    solved = nbformat.read(ROOT / "solutions" / path.stem / path.name, as_version=4)
    assert "NotImplementedError" in "".join(cell.source for cell in lab.cells)
    fill_in(lab, solved)
    assert not [cell for cell in lab.cells if "raise NotImplementedError" in cell.source]


def test_the_folder_is_served_on_this_machine_alone(tmp_path):
    (tmp_path / "x.txt").write_text("hello")
    server = serve(tmp_path, 0)
    try:
        assert server.server_address[0] == "127.0.0.1"
        with socket.create_connection(server.server_address, timeout=10) as line:
            line.sendall(b"GET /x.txt HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: line.recv(4096), b""))
        assert answer.endswith(b"hello")
    finally:
        server.shutdown()
        server.server_close()
