"""What a page holds: statements with labels, graphs and evidence; lists; documents."""

from clustergraph.pages.changes import ChangedThing, explained
from clustergraph.pages.choices import Choice, Fact, classes, facts, named, values
from clustergraph.pages.documents import document
from clustergraph.pages.labels import Label, Labels
from clustergraph.pages.lists import (
    Entry,
    Kind,
    kinds,
    members,
    named_kinds,
    prepare_lists,
    terms,
    trees,
)
from clustergraph.pages.maps import Map, world_map
from clustergraph.pages.once import once, soon
from clustergraph.pages.pictures import Network, Timeline, picture
from clustergraph.pages.statement import statement
from clustergraph.pages.thing import page
from clustergraph.pages.trees import Branch, Diagram, diagram
from clustergraph.pages.view import Evidence, Page, Passage, Property, Statement, Value
from clustergraph.pages.vocabulary import TermPage, Vocabulary, narrowest, term_page, vocabulary

__all__ = [
    "Branch",
    "ChangedThing",
    "Choice",
    "Diagram",
    "Entry",
    "Evidence",
    "Fact",
    "Kind",
    "Label",
    "Labels",
    "Map",
    "Network",
    "Page",
    "Passage",
    "Property",
    "Statement",
    "TermPage",
    "Timeline",
    "Value",
    "Vocabulary",
    "classes",
    "diagram",
    "document",
    "explained",
    "facts",
    "kinds",
    "members",
    "named",
    "named_kinds",
    "narrowest",
    "once",
    "page",
    "picture",
    "prepare_lists",
    "soon",
    "statement",
    "term_page",
    "terms",
    "trees",
    "values",
    "vocabulary",
    "world_map",
]
