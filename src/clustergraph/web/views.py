"""What all pages share: the graph at hand, the reader's languages, addresses of IRIs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from clustergraph.web import authorisation, negotiation
from clustergraph.web.asked import current

if TYPE_CHECKING:
    from collections.abc import Callable

    from clustergraph.reading import OpenRelease
    from clustergraph.service import ClusterGraph

_SAFE = "/:@!$&'()*+,;=%~"


def graph() -> ClusterGraph:
    """The graph that this application publishes."""
    return current().graph


def release() -> OpenRelease:
    """The release of this request: the same from its beginning to its end.

    The current one, unless the address names another (``?release=``, ``/releases/{n}/sparql``);
    with what is restricted, if the request's token allows it.

    Raises:
        UsageError: the address names no number.
        NotFoundError, GoneError: there is no such release, or it is not kept any more.
        UnauthorisedError: the token is not valid.
    """
    asked = current()
    return asked.opened or asked.release(restricted=authorisation.grant().sees_restricted)


def languages() -> list[str]:
    """The languages of the reader, the best first."""
    asked = current()
    if not asked.languages:  # asked for each text of a page
        asked.languages = negotiation.languages(
            asked.header("Accept-Language"),
            asked.arguments.get("lang"),
            asked.graph.settings.languages,
        )
    return asked.languages


def href(iri: str) -> str:
    """Where an IRI is read: on this site if it is under the base, else where it says.

    An IRI that a browser would run instead of opening leads nowhere.
    """
    settings = graph().settings
    if iri.startswith(settings.base):
        path = iri.removeprefix(settings.base)
        if path.startswith("id/"):
            path = "doc/" + path.removeprefix("id/")
        head, hash_sign, fragment = path.partition("#")
        return f"{settings.public_url}/{quote(head, safe=_SAFE)}{hash_sign}{fragment}"
    return iri if iri.startswith(("http://", "https://")) else ""


def site() -> str:
    """Where this site is reached, without a final '/': for RDF and maps, which need it whole.

    The base where the settings do not say; links of pages and headers begin with "/" then.
    """
    settings = graph().settings
    return settings.public_url or settings.base.rstrip("/")


def uri(iri: str) -> str:
    """An IRI as headers carry it: ASCII alone (RFC 3987 section 3.1)."""
    return quote(iri, safe=_SAFE + "#?[]")


def short(iri: str) -> str:
    """An IRI as a person would write it in Turtle, if a prefix fits."""
    best = max(
        (each for each in graph().prefixes.items() if iri.startswith(each[1])),
        key=lambda each: len(each[1]),
        default=None,
    )
    return f"{best[0]}:{iri[len(best[1]) :]}" if best else iri


def term_href(iri: str) -> str:
    """Where a class or a property is explained on this site."""
    name, root = short(iri), graph().settings.public_url
    prefix, colon, local = name.partition(":")
    if colon and local and "/" not in local and graph().prefixes.get(prefix, iri) + local == iri:
        return f"{root}/term/{quote(name, safe=_SAFE)}"
    return f"{root}/term?iri={quote(iri, safe='')}"


def day(timestamp: str) -> str:
    """The day of a timestamp."""
    return timestamp[:10]


def kept(found: object, caller: Callable[[], str]) -> str:
    """What a template makes of an object, made once for each page: evidence stands at many places.

    Args:
        found: lives as long as the page is being made.
        caller: makes it.
    """
    made = current().kept
    if id(found) not in made:
        made[id(found)] = caller()
    return made[id(found)]


def common() -> dict[str, Any]:
    """What every template may use."""
    settings = graph().settings
    return {
        "settings": settings,
        "language": languages()[0].split("-", 1)[0],
        "root": settings.public_url,
        "site": site(),
        "travelling": current().arguments.get("release", "")[:9],
    }
