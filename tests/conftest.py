"""What all tests share: a skipped test fails in continuous integration, there is one browser, and a place for GPUs.

Tests with the marker `gpu` are no part of a plain run. `pytest -m gpu` runs them on the GPU. With `--device cpu` the
same tests run on the processor, all but those that ask for the fixture `cuda`: they are tried where there is no GPU.
"""

import os
import shutil
import tempfile

import pytest


def pytest_addoption(parser):
    parser.addoption("--device", default="cuda", choices=["cuda", "cpu"], help="where the tests marked gpu run")


def pytest_configure(config):
    if "PYTEST_XDIST_WORKER" in os.environ:  # a worker for each core: more threads would only wait for one another
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    # a shell that a test starts keeps no history beside the developer's, and does not wait for another worker's
    os.environ["IPYTHONDIR"] = folder = tempfile.mkdtemp(prefix="vae-lab-ipython-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    if config.getoption("--device") == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before torch looks: the checks take a GPU where they see one


def pytest_collection_modifyitems(config, items):
    """The longest begin first. Without a GPU, what only a GPU can do is left out; it does not count as skipped."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
    if config.getoption("--device") == "cpu":
        out = [item for item in items if "cuda" in item.fixturenames]
        items[:] = [item for item in items if item not in out]
        if out:
            config.hook.pytest_deselected(items=out)


@pytest.fixture(scope="session")
def device(request):
    """Where a test marked `gpu` runs: the GPU, or the processor with `--device cpu`."""
    import torch

    name = request.config.getoption("--device")
    if name == "cuda" and not torch.cuda.is_available():
        pytest.fail("torch finds no GPU here; `pytest -m gpu --device cpu` tries these tests without one")
    return torch.device(name)


@pytest.fixture(scope="session")
def cuda(device):
    """The GPU itself, for what a processor cannot do, such as a CUDA graph."""
    return device


@pytest.fixture(scope="session")
def browser():
    """The system's Chromium, cut off from every other machine; one for all tests of a process."""
    from playwright.sync_api import sync_playwright

    from vae_lab.doctor import find_browser

    found = find_browser()
    if found is None:
        pytest.skip("no Chromium on this machine; `make test` installs it, or tools/system-packages.sh chromium")
    with sync_playwright() as playwright:
        alone = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", alone])
        yield chromium
        chromium.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """In continuous integration a skipped test is a failure: a missing tool must not pass for a tested one."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped; nothing may be skipped where CI is set. {report.longrepr}"
    return report
