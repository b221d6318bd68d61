"""What a page holds: statements with labels, graphs and evidence; lists; documents."""

from clustergraph.pages.changes import ChangedThing, explained
from clustergraph.pages.documents import document
from clustergraph.pages.labels import Label, Labels
from clustergraph.pages.lists import Entry, Kind, kinds, members, terms
from clustergraph.pages.once import once
from clustergraph.pages.pictures import Network, Timeline, picture
from clustergraph.pages.thing import page
from clustergraph.pages.view import Evidence, Page, Property, Value

__all__ = [
    "ChangedThing",
    "Entry",
    "Evidence",
    "Kind",
    "Label",
    "Labels",
    "Network",
    "Page",
    "Property",
    "Timeline",
    "Value",
    "document",
    "explained",
    "kinds",
    "members",
    "once",
    "page",
    "picture",
    "terms",
]
