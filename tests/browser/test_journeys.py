"""What the three kinds of users do in a browser, with the mouse and with the keyboard alone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from tests.browser.conftest import Tab

NAMES = "SELECT ?who ?name { ?who a cg:Place ; skos:prefLabel ?name } ORDER BY ?name LIMIT 5"
PLACES = """SELECT * {
  VALUES (?place ?where) { ("Lyon" "POINT(4.8 45.8)") ("Kobe" "POINT(135.2 34.7)") }
}"""
DAYS = """SELECT * {
  VALUES (?what ?day) { ("a" "2016-05-01"^^xsd:date) ("b" "2017-01-01"^^xsd:date) }
}"""
EDITOR = ".cm-content"


def written(page: Page, text: str) -> None:
    """Put a query into the editor, with the keyboard."""
    page.locator(EDITOR).focus()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def test_a_researcher_gets_from_home_to_a_citable_answer(tab: Tab) -> None:
    """Home, a question, its answer, its query in the editor, a file of it, an address to cite."""
    page = tab.open("/")
    page.get_by_role("navigation", name="Site").get_by_role("link", name="SPARQL").click()
    page.get_by_label("Search the examples").fill("who")
    page.locator("#example-list li:visible a[data-example]").first.click()
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("heading", name="Answer")).to_be_visible()
    assert page.locator("#answered tbody tr").count() > 0
    tab.picture("answer")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert len(lines) > 1
    page.get_by_text("Cite this answer").click()
    cited = page.locator("a.iri").get_attribute("href") or ""
    assert re.search(r"/releases/\d+/sparql\?query=", cited)
    assert page.request.get(cited, headers={"Accept": "text/csv"}).text().splitlines() == lines


def test_rows_have_names_and_can_be_sorted(tab: Tab) -> None:
    """Things are shown by their names, linked to their pages; a heading sorts."""
    page = tab.open("/sparql")
    written(page, NAMES)
    page.keyboard.press("Control+Enter")
    rows = page.locator("#answered tbody tr")
    expect(rows).to_have_count(5)
    first, last = rows.first.inner_text(), rows.last.inner_text()
    link = rows.first.get_by_role("link")
    assert "/doc/" in (link.get_attribute("href") or "")
    assert ":" not in link.inner_text()
    page.get_by_role("button", name="name").click()
    page.get_by_role("button", name="name").click()
    expect(page.locator("th[aria-sort=descending]")).to_have_count(1)
    assert rows.first.inner_text() == last != first


def test_completion_knows_this_graph(tab: Tab) -> None:
    """A class is offered by its name; its prefix is declared where it stands first."""
    page = tab.open("/sparql")
    written(page, "SELECT * { ?x a ")
    page.keyboard.type("Cluster")
    option = page.locator(".cm-tooltip-autocomplete li", has_text="cg:Cluster").first
    expect(option).to_be_visible()
    tab.picture("completion")
    option.click()
    text = page.locator(EDITOR).inner_text()
    assert text.startswith("PREFIX cg: <")
    assert re.search(r"\?x a cg:Cluster", text)


def test_an_error_is_marked_at_its_place(tab: Tab) -> None:
    """The words that cannot be understood are underlined, and the reason stands below."""
    page = tab.open("/sparql")
    written(page, "SELECT * {\n  ?s ?p ?o\n} ORDER ?s BY")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator(".cm-lintRange-error")).to_have_count(1)
    tab.picture("error")


def test_a_query_can_be_cancelled(tab: Tab) -> None:
    """A slow answer is not waited for."""
    page = tab.open("/sparql")
    page.route("**/sparql", lambda _route: None)  # never answered
    written(page, NAMES)
    page.get_by_role("button", name="Run").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled.")).to_be_visible()


@pytest.mark.parametrize(
    ("view", "query", "drawn"),
    [
        ("Map", PLACES, ".dot"),
        ("Timeline", DAYS, ".dot"),
        ("Network", "SELECT ?a ?b { ?a cg:isSignedBy ?b } LIMIT 30", ".dot"),
        ("Chart", "SELECT ?c (COUNT(*) AS ?n) { ?s a ?c } GROUP BY ?c LIMIT 12", ".bar"),
    ],
)  # fmt: skip
def test_views_are_offered_where_columns_suit(tab: Tab, view: str, query: str, drawn: str) -> None:
    """Each view is drawn from the answer, and axe finds nothing in it."""
    page = tab.open("/sparql")
    written(page, query)
    page.keyboard.press("Control+Enter")
    page.get_by_role("button", name=view).click()
    expect(page.locator(f"#view {drawn}").first).to_be_visible()
    assert page.locator(f"#view {drawn}").count() > 1
    tab.picture(f"view-{view.lower()}")
    assert tab.axe() == []


def test_no_script_is_needed(tab_like: Callable[..., Tab]) -> None:
    """Without JavaScript the form answers with a page: names, links, files, an address to cite."""
    page = tab_like(java_script_enabled=False).open("/sparql")
    page.get_by_label("Query").fill(NAMES)
    page.get_by_role("button", name="Run").click()
    assert page.locator("#answered tbody tr").count() == 5
    assert "/doc/" in (page.locator("tbody a").first.get_attribute("href") or "")
    assert ":" not in page.locator("tbody a").first.inner_text()
    cited = page.get_by_role("link", name="Cite this answer").get_attribute("href") or ""
    assert re.search(r"/releases/\d+/sparql\?query=", cited)


def test_an_address_opens_with_its_answer(tab: Tab) -> None:
    """A permalink shows the query in the editor and its answer."""
    page = tab.open(f"/sparql?query={quote(NAMES)}")
    expect(page.locator(EDITOR)).to_contain_text("cg:Place")
    assert page.locator("#answered tbody tr").count() == 5


def test_a_portal_reads_what_a_page_shows(tab: Tab) -> None:
    """From the page of a thing to its data: each format that it names answers in that format."""
    page = tab.open("/doc/place/catalonia")
    address = page.url.split("?", maxsplit=1)[0]
    for accept in ("text/turtle", "application/ld+json", "application/n-triples"):
        answer = page.request.get(address, headers={"Accept": accept})
        assert answer.headers["content-type"].split(";")[0] == accept
    assert json.loads(page.request.get(f"{address}.jsonld").text())


def test_a_maintainer_sees_what_is_wrong_with_a_file(tab: Tab) -> None:
    """Broken Turtle, pasted, gives a finding at its place."""
    page = tab.open("/validate")
    page.locator("textarea").first.fill("<http://x/a> a <http://x/B> ;;; oops")
    page.locator("main form button[type=submit]").click()
    expect(page.locator(".finding").first).to_be_visible()
    assert "line 1" in page.locator(".finding").first.inner_text()
    tab.picture("validate-finding")


def test_the_keyboard_is_enough(tab: Tab) -> None:
    """Skip link first; then through the editor, which Tab leaves, to the button that runs."""
    page = tab.open("/sparql")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "editor":
            break
    page.keyboard.insert_text("ASK { ?s ?p ?o }")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Run")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#answered .lead")).to_have_text("Yes")
