"""The words of the site in the reader's language: message catalogues in ``locale/*.po``."""

from __future__ import annotations

import functools
import io
from decimal import DecimalException
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING

from babel import Locale
from babel.messages import mofile, pofile
from babel.numbers import NumberFormatError, format_decimal
from flask import g

from clustergraph.web import views

if TYPE_CHECKING:
    from decimal import Decimal

    from flask import Flask

_FOLDER = Path(__file__).resolve().parent / "locale"
WRITTEN = "en"
"""The language that the templates are written in."""


def register(app: Flask) -> None:
    """Let templates translate what they mark."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: catalogue(interface()).gettext(text),
        lambda one, many, number: catalogue(interface()).ngettext(one, many, number),
        newstyle=True,
    )
    app.jinja_env.filters["territory"] = territory
    app.jinja_env.filters["number"] = number
    app.context_processor(lambda: {"interface": interface()})


def territory(code: str) -> str:
    """The name of a country in the language of this page; its code if it has none."""
    return str(Locale.parse(interface()).territories.get(code, code))


def number(value: float | Decimal | str) -> str:
    """A number as the language of this page writes it; a text that is none stays as it is."""
    try:
        return format_decimal(value, format="#,##0.###", locale=interface())
    except (NumberFormatError, DecimalException):
        return str(value)


@functools.cache
def available() -> tuple[str, ...]:
    """The languages that the site can speak."""
    return (WRITTEN, *sorted(path.stem for path in _FOLDER.glob("*.po")))


def interface() -> str:
    """The language of this page: the reader's best among those that there are."""
    if "interface" not in g:  # asked for each text of a page
        g.interface = next((each for each in views.languages() if each in available()), WRITTEN)
    return str(g.interface)


@functools.cache
def catalogue(language: str) -> NullTranslations:
    """The messages of a language; as they are written in the templates for any other.

    Args:
        language: a tag of ``available``.
    """
    path = _FOLDER / f"{language}.po"
    if language == WRITTEN or not path.is_file():
        return NullTranslations()
    compiled = io.BytesIO()
    with path.open("rb") as source:
        mofile.write_mo(compiled, pofile.read_po(source, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
