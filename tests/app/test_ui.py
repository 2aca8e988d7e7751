"""The MLflow UI, as ``make ui`` opens it, on runs of one network quantized in three ways."""

import os
import re
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

from maxexp.tracking.view import VIEW
from tests.app.conftest import REPOSITORY
from tests.browser import PATIENCE_S, show, started
from tests.compare.conftest import Runs

WIDE = (1900, 1000)


@contextmanager
def make_ui(folder: Path, port: int):
    """The command of the Makefile in another folder, with the Python of the tests."""
    printed = subprocess.run(
        ["make", "ui", "--dry-run", f"ARGS=--port {port}"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    ).stdout.replace("\\\n", " ")
    line = next(line for line in printed.splitlines() if "mlflow ui" in line)
    words = shlex.split(re.sub(r"\S*/bin/mlflow", f"{sys.executable} -m mlflow", line))
    settings = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
    process = subprocess.Popen(
        words[len(settings) :],
        cwd=folder,
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.STDOUT,
    )
    try:
        yield f"http://127.0.0.1:{port}"
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
    experiment = runs.store.client.get_run(ids["qat"]).info.experiment_id
    with make_ui(tmp_path, free_port()) as address, started() as browser:
        view = f"{address}/#/experiments/{experiment}/runs?viewStateShareKey={VIEW}"
        open_when_up(browser, view)
        table = wait_for(
            browser, *(f"cmsisnnet-{method}" for method in ids), "Accuracy, latency and memory on the chip"
        )
        assert "test/accuracy_integer" in table and "hw/latency_us" in table
        assert table.index("cmsisnnet-float") < table.index("cmsisnnet-ptq") < table.index("cmsisnnet-qat")
        show(browser, f"{view}&compareRunsMode=CHART", WIDE)
        wait_for(browser, "Accuracy, latency, memory", "hw/latency_us vs. test/accuracy_integer")
        show(browser, f"{address}/#/experiments/{experiment}/runs/{ids['qat']}", WIDE)
        wait_for(browser, "Description", "1.898 ms")
