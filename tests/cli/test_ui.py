"""The MLflow UI, as ``make ui`` opens it, on runs of one network quantized in three ways."""

import os
import shlex
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser import PATIENCE_S, show, started
from tests.compare.conftest import Runs
from tests.runs import REPOSITORY

WIDE = (1900, 1000)


@contextmanager
def make_ui(folder: Path, port: int):
    """The command of the Makefile in another folder, with the Python of the tests; the first address it prints."""
    printed = subprocess.run(
        ["make", "ui", "--dry-run", f"ARGS=--port {port}"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout
    line = next(line for line in printed.splitlines() if "maxexp.ui" in line)
    process = subprocess.Popen(
        [sys.executable, *shlex.split(line)[1:]],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process.stdout.readline().split(": ", 1)[1].strip()
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def wait_for(browser, *texts: str) -> str:
    def shown(browser):
        text = browser.find_element(By.TAG_NAME, "body").text
        return text if all(wanted in text for wanted in texts) else None

    return WebDriverWait(browser, PATIENCE_S, ignored_exceptions=(Exception,)).until(shown)


def open_when_up(browser, address: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", int(address.split(":")[2].split("/")[0]))) == 0:
                break
        time.sleep(1)
    show(browser, address, WIDE)


@pytest.mark.slow
def test_methods_of_quantization_compare_without_set_up(tmp_path):
    (tmp_path / "mlruns").mkdir()
    runs = Runs(tmp_path / "mlruns")
    ids = {
        method: runs.write(f"cmsisnnet-{method}", f"quantization={method}", accuracy=accuracy)
        for method, accuracy in (("qat", 0.9), ("ptq", 0.85), ("float", 0.91))
    }
    runs.store.client.set_tag(
        ids["qat"], "mlflow.note.content", "| result | value |\n|--|--:|\n| latency | 1.898 ms |"
    )
    failed = runs.write("cmsisnnet-broken", "quantization=qat", accuracy=0.1)
    runs.store.client.set_terminated(failed, "FAILED")
    experiment = runs.store.client.get_run(ids["qat"]).info.experiment_id
    with make_ui(tmp_path, free_port()) as view, started() as browser:
        open_when_up(browser, view)
        table = wait_for(
            browser, *(f"cmsisnnet-{method}" for method in ids), "Scores, latency and memory on the chip"
        )
        assert "cmsisnnet-broken" not in table
        assert "test/accuracy_integer" in table and "hw/latency_us" in table
        assert table.index("cmsisnnet-float") < table.index("cmsisnnet-ptq") < table.index("cmsisnnet-qat")
        show(browser, f"{view}&compareRunsMode=CHART", WIDE)
        wait_for(browser, "Classification", "Latency and memory", "hw/latency_us vs. test/accuracy_integer")
        server = view.partition("/#")[0]
        show(browser, f"{server}/#/experiments/{experiment}/runs/{ids['qat']}", WIDE)
        wait_for(browser, "Description", "1.898 ms")
