"""What Lighthouse looks at, on each kind of page: bytes, shifts, headings, metadata, print.

Times are not among it: machines are noisy. ``docs/performance.md`` has them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Response
from tests.browser.conftest import Tab
from tests.browser.test_accessibility import PAGES

LOOK = (Path(__file__).parent / "page_quality.js").read_text(encoding="utf-8")
SHIFTS = (Path(__file__).parent / "shifts.js").read_text(encoding="utf-8")
LARGEST = 60_000
"""Bytes of a page with its styles and scripts, as they are sent."""
ISLANDS = {"sparql", "sparql-answer"}
"""Pages with the editor, which is larger."""
SHIFT = 0.01
"""What people do not see; a tenth is called good."""


class Sent:
    """What the server sent for a page."""

    def __init__(self, tab: Tab) -> None:
        self.responses: list[Response] = []
        tab.page.on("response", self._add)

    def _add(self, response: Response) -> None:
        self.responses.append(response)

    def taken(self) -> list[Response]:
        """All since the last time."""
        found = list(self.responses)
        self.responses.clear()
        return found


def bytes_of(responses: list[Response]) -> int:
    """Bytes of bodies as they were sent, without pictures."""
    total = 0
    for each in responses:
        if each.request.resource_type != "image":
            each.finished()
            total += each.request.sizes()["responseBodySize"]
    return total


def troubles_of(name: str, tab: Tab, responses: list[Response]) -> list[str]:
    """What is not as it should be on the page that is open."""
    page = tab.page
    facts: dict[str, Any] = page.evaluate(LOOK)
    found = list(facts["troubles"])
    document = next(each for each in responses if each.request.resource_type == "document")
    if document.status != (404 if name == "not-found" else 200):
        found.append(f"status {document.status}")
    if facts["long"] and document.headers.get("content-encoding") not in {"gzip", "zstd", "br"}:
        found.append("the document is not compressed")
    found += [
        f"{each.url} may not be kept: {each.headers.get('cache-control')}"
        for each in responses
        if "/static/" in each.url and "max-age" not in each.headers.get("cache-control", "")
    ]
    size = bytes_of(responses)
    if size > LARGEST and name not in ISLANDS:
        found.append(f"{size} bytes are sent")
    shift = page.evaluate("window.shifts")
    if shift > SHIFT:
        found.append(f"what was shown moves: {shift:.3f}")
    page.emulate_media(media="print")
    found += page.evaluate("window.printed()")
    page.emulate_media(media="screen")
    return found


@pytest.mark.parametrize("width", [320, 1280])
def test_pages_are_light_steady_and_well_described(
    tab_like: Callable[..., Tab], width: int
) -> None:
    """Each as it comes to somebody who was never here."""
    found: dict[str, list[str]] = {}
    for name, path in PAGES.items():
        tab = tab_like(viewport={"width": width, "height": 800}, is_mobile=width < 400)
        tab.page.add_init_script(SHIFTS)
        sent = Sent(tab)
        tab.open(path)
        tab.page.wait_for_load_state("networkidle")
        troubles = troubles_of(name, tab, sent.taken())
        if troubles:
            found[name] = troubles
    assert not found, json.dumps(found, indent=1)


def test_what_is_looked_for_is_found(tab: Tab) -> None:
    """A page that does everything wrong."""
    page = tab.page
    page.set_content(
        "<html><body><h1>One</h1><h1>Two</h1><h4>Deep</h4><p style='font-size:9px'>small print"
        "</p><a href='/x' target='_blank'>out</a><img src='data:,'></body></html>"
    )
    facts: dict[str, Any] = page.evaluate(LOOK)
    text = "\n".join(facts["troubles"])
    for each in ("title", "description", "lang", "viewport", "canonical", "h1", "h4", "9px",
                 "noopener", "size of its own", "icon"):  # fmt: skip
        assert each in text, each
