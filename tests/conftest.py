"""In continuous integration a skipped test is a failure: a missing tool must not pass for a tested one."""

import os

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped; nothing may be skipped where CI is set. {report.longrepr}"
    return report
