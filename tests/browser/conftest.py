"""A real Chromium before the running server; it is let nowhere else, and complains loudly."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from clustergraph.service import ClusterGraph

REPOSITORY = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(__file__).resolve().parent / "screenshots"
CHROMIUM = shutil.which("chromium")
AXE = REPOSITORY / "frontend/node_modules/axe-core/axe.min.js"


@dataclass
class Tab:
    """A page of the browser, and what went wrong in it."""

    page: Page
    url: str
    troubles: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("request", self._requested)
        self.page.set_default_timeout(15_000)

    def _said(self, message: ConsoleMessage) -> None:
        # what the server refuses on purpose is logged by the browser too
        if message.type in {"error", "warning"} and "the server responded" not in message.text:
            self.troubles.append(message.text)

    def _requested(self, request: Request) -> None:
        self.asked.append(request.url)

    def open(self, path: str) -> Page:
        """Go to an address of the site."""
        self.page.goto(self.url + path, wait_until="load")
        return self.page

    def axe(self, *only: str) -> list[str]:
        """What axe finds on the page: WCAG 2.2 A and AA, and best practices; or some rules."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        options: dict[str, Any] = {"rules": {"target-size": {"enabled": True}}}  # WCAG 2.2, 2.5.8
        if only:
            options = {"runOnly": list(only)}
        found: dict[str, Any] = self.page.evaluate("options => axe.run(document, options)", options)
        return [
            f"{each['id']}: {each['help']}: {node['html'][:150]}"
            for each in found["violations"]
            for node in each["nodes"]
        ]

    def picture(self, name: str) -> None:
        """Keep a screenshot, for people to look at."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@pytest.fixture(scope="session")
def address(shipped: ClusterGraph) -> Iterator[str]:
    """The server, over the release that the tests built."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable, "-m", "clustergraph", "--project", str(shipped.settings.project),
        "--var", str(shipped.settings.variable), "serve", "--port", str(port),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ) as server:
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
                    break
                except OSError:
                    assert server.poll() is None
                    time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(timeout=30)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a head."""
    assert CHROMIUM, "Chromium is missing; on Debian: apt-get install chromium"
    assert AXE.is_file(), "axe is missing; install the package in place: make setup"
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def tab(browser: Browser, address: str) -> Iterator[Tab]:
    """A page; the test fails if it complained, or asked anybody but the site."""
    yield from opened(browser, address)


@pytest.fixture
def tab_like(browser: Browser, address: str) -> Iterator[Callable[..., Tab]]:
    """Makes pages of some width and colour scheme."""
    made: list[Iterator[Tab]] = []

    def make(**options: Any) -> Tab:
        made.append(opened(browser, address, **options))
        return next(made[-1])

    yield make
    for each in made:
        next(each, None)


def opened(browser: Browser, address: str, **options: Any) -> Iterator[Tab]:
    """A page with options of its own, checked when it is closed."""
    context = browser.new_context(**options)
    tab = Tab(context.new_page(), address)
    yield tab
    context.close()
    assert not tab.troubles
    assert not [each for each in tab.asked if not each.startswith((address, "blob:", "data:"))]
