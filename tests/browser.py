"""A real browser without a window: Debian's chromium, driven by selenium."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)
PATIENCE_S = 120
DESKTOP, PHONE = (1280, 900), (390, 844)


@contextmanager
def started() -> Iterator[Chrome]:
    """A browser with a fresh profile; the test is skipped where there is none."""
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not (binary and driver):
        pytest.skip("no chromium: apt-get install chromium chromium-driver")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ChromeOptions()
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.binary_location = binary
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        browser = Chrome(options, Service(driver))
        browser.set_script_timeout(PATIENCE_S)
        browser.set_page_load_timeout(PATIENCE_S)
        try:
            yield browser
        finally:
            browser.quit()


def show(browser: Chrome, url: str, size: tuple[int, int] = DESKTOP, theme: str = "light") -> None:
    """Open a page as a screen of that size and theme has it."""
    width, height = size
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    features = [{"name": "prefers-color-scheme", "value": theme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get("about:blank")
    browser.get(url)
    # Charts are drawn again once the page has its final width: an element found before would be gone.
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
