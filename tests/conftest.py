"""What all tests share: which of them can run here, and that none is skipped unnoticed.

WGTUI_REQUIRE="kernel wireguard" turns a skipped test with one of these markers into a failed one;
with CI set that goes for all of them (`make test` deselects those that are for the lab, it does not
skip them). Other skipped tests are listed with their reasons at the end of every run (-ra).
"""

import os
from collections.abc import Generator
from functools import cache
from pathlib import Path

import pytest

pytest_plugins = ("tests.kernel.hosts",)

MARKERS = ("kernel", "wireguard", "lab")
CI = bool(os.environ.get("CI"))
REQUIRED = MARKERS if CI else tuple(os.environ.get("WGTUI_REQUIRE", "").split())
KERNEL_ROOM = Path(__file__).parent / "kernel"


def pytest_configure(config: pytest.Config) -> None:
    """Give hypothesis one profile: reproducible on CI, curious elsewhere."""
    if config.pluginmanager.hasplugin("hypothesispytest"):  # in the lab its import takes seconds
        from hypothesis import settings

        # No deadline: this may run on one busy core.
        settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
        settings.register_profile("local", deadline=None)
        settings.load_profile("ci" if CI else "local")


@cache
def reason_missing(marker: str) -> str | None:
    """Why tests with this marker cannot run here; None when they can."""
    from tests.kernel.hosts import missing  # pytest loads it as a plugin, and wants to be the first

    return missing(marker)


@pytest.hookimpl(tryfirst=True)  # before -m deselects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that is tested in tests/kernel has the marker kernel."""
    for item in items:
        if KERNEL_ROOM in item.path.parents:
            item.add_marker("kernel")


@pytest.hookimpl(tryfirst=True)  # before fixtures
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot do, and say why."""
    for marker in MARKERS:
        if item.get_closest_marker(marker) and (reason := reason_missing(marker)):
            pytest.skip(f"{marker}: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A skipped test that is required here failed."""
    report = yield
    required = [marker for marker in REQUIRED if item.get_closest_marker(marker)]
    if report.skipped and required and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, though {required[0]} is required here: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """So did a whole module that skipped itself, in the room where all tests are kernel tests."""
    report = yield
    if report.skipped and "kernel" in REQUIRED and KERNEL_ROOM in collector.path.parents:
        report.outcome = "failed"
        report.longrepr = f"skipped, though kernel is required here: {report.longrepr}"
    return report
