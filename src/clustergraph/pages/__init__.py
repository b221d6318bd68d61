"""What a page holds: statements with labels, graphs and evidence; lists; documents."""

from clustergraph.pages.changes import ChangedThing, explained
from clustergraph.pages.documents import document
from clustergraph.pages.labels import Label, Labels
from clustergraph.pages.lists import Entry, Kind, kinds, members, terms
from clustergraph.pages.thing import Evidence, Page, Property, Value, page

__all__ = [
    "ChangedThing",
    "Entry",
    "Evidence",
    "Kind",
    "Label",
    "Labels",
    "Page",
    "Property",
    "Value",
    "document",
    "explained",
    "kinds",
    "members",
    "page",
    "terms",
]
