"""The browser files of others: exactly those of the list, each with its licence."""

from __future__ import annotations

import importlib.util

from book.sources import ROOT

_spec = importlib.util.spec_from_file_location("book_vendor", ROOT / "book" / "vendor.py")
vendor = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(vendor)


def test_the_vendored_files_are_those_of_the_list():
    assert vendor.problems() == []


def test_each_package_carries_its_licence_and_the_reason_for_it():
    for entry in vendor.entries():
        assert entry["licence"]
        assert entry["why"]
        if not any("LICENSE" in name for name in entry["files"]):  # it leaves its text out: another file has it
            text = (vendor.FOLDER / entry["licence_text"]).read_text()
            assert "MIT license" in text or "Redistribution and use" in text, entry["package"]


def test_a_changed_file_is_noticed(tmp_path, monkeypatch):
    for entry in vendor.entries():
        for name in entry["files"]:
            path = tmp_path / "vendor" / vendor.place(entry, name).relative_to(ROOT / "book" / "vendor")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(vendor.place(entry, name).read_bytes())
    (tmp_path / "vendor.json").write_bytes((ROOT / "book" / "vendor.json").read_bytes())
    monkeypatch.setattr(vendor, "HERE", tmp_path)
    monkeypatch.setattr(vendor, "FOLDER", tmp_path / "vendor" / "_static" / "vendor")
    assert vendor.problems() == []
    path.write_text("something else")
    assert "not the file" in vendor.problems()[0]
    path.unlink()
    assert "missing" in vendor.problems()[0]
    (path.parent / "stranger.js").write_text("")
    assert "not in vendor.json" in vendor.problems()[-1]
