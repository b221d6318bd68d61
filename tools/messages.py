"""The texts that templates mark for translation: ``python tools/messages.py`` shows what lacks."""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages import Catalog, pofile
from babel.messages.extract import extract_from_dir

WEB = Path(__file__).resolve().parents[1] / "src/clustergraph/web"
_MARKS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def marked() -> Catalog:
    """All that the templates mark."""
    catalogue = Catalog()
    for name, line, message, _comments, _context in extract_from_dir(
        WEB / "templates",
        [("**.*", "jinja2")],
        options_map={"**.*": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}},
        keywords=_MARKS,
    ):
        catalogue.add(message, locations=[(name, line)])
    return catalogue


def main() -> int:
    """Say for each language what is marked and not translated."""
    lacking = 0
    for path in sorted(WEB.glob("locale/*.po")):
        with path.open("rb") as source:
            found = pofile.read_po(source)
        for message in marked():
            if message.id and not (found.get(message.id) and found.get(message.id).string):
                print(f"{path.name}: {message.id}")
                lacking += 1
    return 1 if lacking else 0


if __name__ == "__main__":
    sys.exit(main())
