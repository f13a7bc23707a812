"""Somebody at a browser: Debian's chromium, steered by selenium; a new profile each time."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from tests.stories.patience import eventually

CHROMIUM, DRIVER = "chromium", "chromedriver"
FLAGS = (
    "--headless=new",
    "--no-sandbox",  # as root it starts with nothing else
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--window-size=1280,900",
)


def why_there_is_no_browser() -> str:
    """Return what lacks, and how to get it; empty where a browser can be had."""
    lacking = [name for name in (CHROMIUM, DRIVER) if shutil.which(name) is None]
    if not lacking:
        return ""
    return f"no {' and no '.join(lacking)} here: apt-get install chromium chromium-driver"


def skip_without_browser() -> None:
    """Skip a story where no browser is installed; where CI runs it, fail."""
    lacking = why_there_is_no_browser()
    if lacking and os.environ.get("CI"):
        pytest.fail(lacking)
    if lacking:
        pytest.skip(lacking)


@contextlib.contextmanager
def a_browser() -> Iterator["Browser"]:
    """Open a browser that nobody has used; leave nothing of it."""
    profile = tempfile.mkdtemp(prefix="kirby-browser-")
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which(CHROMIUM))
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(shutil.which(DRIVER)))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
        shutil.rmtree(profile, ignore_errors=True)


class Browser:
    """What a person sees and presses."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self._driver = driver

    def opens(self, url: str) -> None:
        """Type an address."""
        self._driver.get(url)

    @property
    def place(self) -> str:
        """Return the address that is shown, without the service's own."""
        return "/" + self._driver.current_url.partition("://")[2].partition("/")[2]

    @property
    def text(self) -> str:
        """Return all that can be read on the page."""
        with contextlib.suppress(NoSuchElementException, StaleElementReferenceException):
            return self._driver.find_element(By.TAG_NAME, "body").text
        return ""

    @property
    def troubles(self) -> list[str]:
        """Return what the browser complains of since the last look: scripts, styles, the policy."""
        return [str(entry["message"]) for entry in self._driver.get_log("browser")]

    def forgets_troubles(self) -> None:
        """Let what was complained of so far be."""
        self._driver.get_log("browser")

    def cookies(self) -> list[dict[str, object]]:
        """Return the cookies, with their attributes."""
        return list(self._driver.get_cookies())

    def cookies_of_scripts(self) -> str:
        """Return what a script in the page could read of them."""
        return str(self._driver.execute_script("return document.cookie"))

    def sees(self, *texts: str) -> None:
        """Wait until all of these can be read."""
        eventually(lambda: self.text, what=f"{texts} on the page", until=lambda text: all(
            each in text for each in texts))  # fmt: skip

    def sees_no_more(self, text: str) -> None:
        """Wait until this can be read nowhere."""
        eventually(lambda: self.text, what=f"no {text}", until=lambda shown: text not in shown)

    def row(self, name: str) -> str:
        """Return the row of a table that begins with this, as it is read."""
        with contextlib.suppress(StaleElementReferenceException):
            texts = [each.text for each in self._driver.find_elements(By.CSS_SELECTOR, "tbody tr")]
            return next((text for text in texts if text.startswith(name)), "")
        return ""

    def sees_row(self, name: str, *texts: str) -> None:
        """Wait until a row of a table says all of these."""
        eventually(lambda: self.row(name), what=f"{texts} in the row of {name}",
                   until=lambda row: all(each in row for each in texts))  # fmt: skip

    def follows(self, link: str) -> None:
        """Press a link of the page, or of the navigation."""
        self._presses(By.LINK_TEXT, link)

    def presses(self, label: str) -> None:
        """Press the first button that says this."""
        self._presses(By.XPATH, f'//button[contains(normalize-space(), "{label}")]')

    def writes(self, field: str, text: str) -> None:
        """Write into a field of a form."""
        found = self._driver.find_element(By.NAME, field)
        found.clear()
        found.send_keys(text)

    def fits(self, width: int) -> bool:
        """Tell whether the page is no wider than a window of this width."""
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        wide = self._driver.execute_script("return document.documentElement.scrollWidth")
        self._driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        return int(wide) <= width

    def pictures(self, path: Path) -> None:
        """Keep what is shown, for whoever wants to know why a story failed."""
        self._driver.save_screenshot(str(path))

    def _presses(self, by: str, what: str) -> None:
        """Press what may be replaced just now, as pages that are looked at renew themselves."""

        def pressed() -> bool:
            with contextlib.suppress(NoSuchElementException, StaleElementReferenceException):
                element: WebElement = self._driver.find_element(by, what)
                element.click()
                return True
            return False

        eventually(pressed, what=f"{what} to press")
