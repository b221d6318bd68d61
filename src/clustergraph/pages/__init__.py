"""What a page holds: statements with labels, graphs and evidence; lists; documents."""

from clustergraph.pages.changes import ChangedThing, explained
from clustergraph.pages.documents import document
from clustergraph.pages.labels import Label, Labels
from clustergraph.pages.lists import Entry, Kind, kinds, members, terms
from clustergraph.pages.pictures import Network, Timeline, picture
from clustergraph.pages.statement import statement
from clustergraph.pages.thing import page
from clustergraph.pages.view import Evidence, Page, Property, Statement, Value

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
    "Statement",
    "Timeline",
    "Value",
    "document",
    "explained",
    "kinds",
    "members",
    "page",
    "picture",
    "statement",
    "terms",
]
