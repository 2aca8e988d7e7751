"""A comparison of 300 runs is quick, and its page small."""

import resource
import subprocess
import sys

import pytest
from selenium.webdriver.common.by import By

from tests.browser import show, started
from tests.runs import REPOSITORY

SECONDS, BYTES = 10, 5_000_000


@pytest.mark.slow
def test_300_runs(many_runs, tmp_path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "maxexp.compare", "--tracking-uri", many_runs.uri, "--out", str(tmp_path)]
    subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Processor time: other work on this machine does not count.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < SECONDS
    page = tmp_path / "comparison.html"
    assert page.stat().st_size < BYTES
    with started() as browser:
        show(browser, page.as_uri())
        assert len(browser.find_elements(By.CSS_SELECTOR, "#table tbody tr")) == 300
        drawn_ms = browser.execute_script("return performance.now()")
        assert drawn_ms < 1000 * SECONDS
