"""What all tests share: a skipped test fails in continuous integration, and there is one browser."""

import os
import shutil

import pytest


@pytest.fixture(scope="session")
def browser():
    """The system's Chromium, cut off from every other machine; one for all tests of a process."""
    from playwright.sync_api import sync_playwright

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
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
