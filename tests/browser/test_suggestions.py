"""Suggestions while typing: by mouse and keyboard, for everyone, and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from tests.browser.conftest import Tab


def typed(page: Page, text: str) -> Locator:
    """The field of the header, with a text; its suggestions are there."""
    field = page.get_by_role("combobox", name="Search")
    field.press_sequentially(text)
    expect(page.get_by_role("option").first).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    return field


def test_a_click_opens_the_page_of_a_name(tab: Tab) -> None:
    """What is clicked is opened, whatever the field holds."""
    page = tab.open("/")
    typed(page, "lyonb")
    page.get_by_role("option", name="Lyonbiopole").first.click()
    page.wait_for_url("**/doc/organisation/*")
    expect(page.get_by_role("heading", level=1)).to_have_text("Lyonbiopole")


def test_the_keyboard_chooses(tab: Tab) -> None:
    """Arrows go round through the field, Home leaves the list, Escape closes it, Enter opens."""
    page = tab.open("/")
    field = typed(page, "cata")
    options = page.get_by_role("option")
    field.press("ArrowDown")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute(
        "aria-activedescendant", options.first.get_attribute("id") or "?"
    )
    field.press("ArrowUp")
    expect(page.locator("[role=option][aria-selected]")).to_have_count(0)
    field.press("ArrowUp")
    expect(options.last).to_have_attribute("aria-selected", "true")
    field.press("Home")
    expect(page.locator("[role=option][aria-selected]")).to_have_count(0)
    field.press("Escape")
    expect(options).to_have_count(0)
    expect(field).to_have_value("cata")
    expect(field).to_have_attribute("aria-expanded", "false")
    field.press("ArrowDown")
    expect(options.first).to_be_visible()
    name = options.first.inner_text()
    field.press("ArrowDown")
    field.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_enter_searches_where_nothing_is_chosen(tab: Tab) -> None:
    """The list does not take the key from who wants to search."""
    page = tab.open("/")
    typed(page, "cata").press("Enter")
    page.wait_for_url("**/search?q=cata")


def test_names_speak_the_language_of_the_page(tab_like: Callable[..., Tab]) -> None:
    """Names are those of the reader, each says its language, and the list has a name."""
    page = tab_like().open("/?lang=fr")
    page.get_by_role("combobox").press_sequentially("allem")
    expect(page.get_by_role("listbox", name="Suggestions")).to_be_visible()
    option = page.get_by_role("option", name="Allemagne", exact=True)
    expect(option).to_have_attribute("lang", "fr")


def test_only_the_last_question_counts(tab: Tab) -> None:
    """A late answer to an earlier text is not shown."""
    page = tab.open("/")
    late: list[Route] = []

    def hold(route: Route) -> None:
        if urlsplit(route.request.url).query.endswith("q=mun"):
            late.append(route)
        else:
            route.continue_()

    page.route("**/suggest?*", hold)
    field = page.get_by_role("combobox", name="Search")
    with page.expect_request("**/suggest?q=mun"):
        field.fill("mun")
    field.fill("lyonb")
    expect(page.get_by_role("option", name="Lyonbiopole").first).to_be_visible()
    for each in late:
        each.fulfill(json=["mun", ["Too late"], [""], ["/"], {"languages": ["en"]}])
    page.wait_for_timeout(300)
    expect(page.get_by_role("option", name="Too late")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_open_list_is_for_everyone(
    tab_like: Callable[..., Tab], width: int, scheme: str
) -> None:
    """axe finds nothing while it is open, and it stays within the window."""
    tab = tab_like(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = tab.open("/")
    typed(page, "b").press("ArrowDown")
    tab.picture(f"suggestions-{width}-{scheme}")
    assert tab.axe() == []
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    box = page.get_by_role("listbox").bounding_box()
    assert box
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


def test_no_script_is_needed_to_search(tab_like: Callable[..., Tab]) -> None:
    """Without JavaScript the field is one of a form."""
    page = tab_like(java_script_enabled=False).open("/")
    field = page.get_by_role("searchbox", name="Search")
    field.fill("lyonbiopole")
    field.press("Enter")
    page.wait_for_url("**/search?q=lyonbiopole")
    expect(page.locator(".hits a").first).to_have_text("Lyonbiopole")
