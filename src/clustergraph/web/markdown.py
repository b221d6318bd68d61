"""HTML of our own pages as Markdown: what stands in ``<main>``, without navigation and forms."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LEFT_OUT = frozenset(
    {"script", "style", "nav", "form", "svg", "button", "input", "select", "textarea", "template"}
)
_VOID = frozenset({"input", "br", "hr", "img", "meta", "link", "wbr", "col"})
_BLOCKS = frozenset(
    {"p", "section", "div", "article", "header", "footer", "ul", "ol", "dl", "table", "details",
     "summary", "figure", "figcaption", "blockquote", "dt", "dd", "li", "tr", *_HEADINGS}
)  # fmt: skip
_SPACE = re.compile(r"\s+")
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|])")


def of(html: str, site: str, path: str) -> str:
    """The main part of a page as Markdown.

    Args:
        html: the page.
        site: where the site is reached, without a final '/'; "" for links relative to its host.
        path: of the page on it.
    """
    reader = _Reader(site, path)
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Writes Markdown as it goes through a page."""

    def __init__(self, site: str, path: str) -> None:
        super().__init__(convert_charrefs=True)
        self._site, self._path = site, path
        self._lines: list[str] = []
        self._line = ""
        self._inside = 0  # depth of <main>
        self._skipped = 0  # depth of what is left out
        self._lists: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._pre = False
        self._row: list[str] | None = None
        self._rows = 0  # of the table

    def text(self) -> str:
        """What was written."""
        self._end_line()
        text = "\n".join(self._lines)
        return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"

    # -- the parser's calls --------------------------------------------------------------------

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See ``HTMLParser``."""
        if tag == "main":
            self._inside += 1
        if not self._inside:
            return
        if self._skipped or tag in _LEFT_OUT:
            self._skipped += tag not in _VOID
            return
        found = dict(attrs)
        if tag == "details" and found.get("data-link"):
            # what is folded on the page is a page of its own
            self._line += (
                f" [{found.get('data-name')}](<{self._address(found['data-link'] or '')}>)"
            )
            self._skipped = 1
            return
        if tag in _BLOCKS:
            self._begin_block(tag)
        elif tag == "a":
            self._links.append((self._address(found.get("href") or ""), len(self._line)))
        elif tag == "pre":
            self._break()
            self._pre = True
            self._line = ""
        elif tag in {"td", "th"} and self._row is not None:
            self._line = ""
        elif tag == "code" and not self._pre:
            self._line += "`"
        elif tag in {"strong", "b"}:
            self._line += "**"
        elif tag == "br":
            self._end_line()
        elif tag == "hr":
            self._break()
            self._lines += ["---", ""]

    def handle_endtag(self, tag: str) -> None:
        """See ``HTMLParser``."""
        if not self._inside:
            return
        if self._skipped:
            self._skipped -= 1
            return
        if tag == "main":
            self._inside -= 1
        elif tag == "a" and self._links:
            self._end_link()
        elif tag == "pre":
            self._lines += ["```", *self._line.strip("\n").split("\n"), "```", ""]
            self._line, self._pre = "", False
        elif tag in {"td", "th"} and self._row is not None:
            self._row.append(self._line.strip())
            self._line = ""
        elif tag == "code" and not self._pre:
            self._line += "`"
        elif tag in {"strong", "b"}:
            self._line += "**"
        elif tag in _BLOCKS:
            self._end_block(tag)

    def handle_data(self, data: str) -> None:
        """See ``HTMLParser``."""
        if not self._inside or self._skipped:
            return
        if self._pre:
            self._line += data
            return
        text = _SPACE.sub(" ", data)
        if self._line.endswith((" ", "")) and not self._line.strip():
            text = text.lstrip()
        in_code = self._line.count("`") % 2
        self._line += text if in_code else _SPECIAL.sub(r"\\\1", text)

    def _address(self, href: str) -> str:
        """Where a link leads: on this site from its root, else as it says."""
        if href.startswith("/") and not href.startswith("//"):
            return self._site + href
        is_elsewhere = href.startswith("//") or ":" in href
        return href if is_elsewhere else self._site + urljoin(self._path, href)

    # -- blocks --------------------------------------------------------------------------------

    def _begin_block(self, tag: str) -> None:
        if tag in _HEADINGS:
            self._break()
            self._line = "#" * _HEADINGS[tag] + " "
        elif tag in {"ul", "ol", "dl"}:
            self._end_line()
            self._lists.append(tag)
        elif tag in {"li", "dd"}:
            self._end_line()
            self._line = "  " * max(0, len(self._lists) - 1) + "- "
        elif tag == "dt":
            self._break()
        elif tag == "tr":
            self._end_line()
            self._row = []
        elif tag == "table":
            self._end_line()
            self._lines.append("")
            self._rows = 0
        elif self._line.strip() not in {"", "-"}:
            self._end_line()

    def _end_block(self, tag: str) -> None:
        if tag == "tr" and self._row is not None:
            if self._row:
                self._lines.append("| " + " | ".join(self._row) + " |")
                self._rows += 1
                if self._rows == 1:
                    self._lines.append("|" + " --- |" * len(self._row))
            self._row, self._line = None, ""
            return
        self._end_line()
        if tag in {"ul", "ol", "dl"} and self._lists:
            self._lists.pop()
        if (
            tag in _HEADINGS
            or tag in {"p", "table"}
            or (tag in {"ul", "dl", "ol"} and not self._lists)
        ):
            self._lines.append("")

    def _end_link(self) -> None:
        address, start = self._links.pop()
        start = min(start, len(self._line))
        label = self._line[start:].strip()
        if label and address:
            self._line = f"{self._line[:start]}[{label}](<{address}>)"

    def _end_line(self) -> None:
        if self._row is not None:
            self._line += " "
            return
        line = self._line.rstrip()
        if line.strip() not in {"", "-"}:
            self._lines.append(line)
        self._line = ""

    def _break(self) -> None:
        self._end_line()
        if self._lines and self._lines[-1] and not self._lists:
            self._lines.append("")
