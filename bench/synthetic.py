"""A synthetic cluster graph by the ontology of this project: the same bytes for the same size.

Organisations, people, projects, agreements, missions, events and announcements, with skewed sizes,
labels in seven languages; each source has its named graph, each announcement one with provenance.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from pathlib import Path

BASE = "https://w3id.org/clustergraph/"
_PREFIXES = {
    "cg": f"{BASE}ontology#",
    "id": f"{BASE}id/",
    "scheme": f"{BASE}scheme/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "org": "http://www.w3.org/ns/org#",
    "dcterms": "http://purl.org/dc/terms/",
    "prov": "http://www.w3.org/ns/prov#",
    "schema": "https://schema.org/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_LANGUAGES = ("fr", "de", "es", "ca", "it", "ja")
_KINDS = {"en": "Cluster", "fr": "Grappe", "de": "Netzwerk", "es": "Agrupación", "ca": "Clúster",
          "it": "Distretto", "ja": "クラスター"}  # fmt: skip
_QUALITIES = ("Advanced", "Green", "Digital", "Smart", "Circular", "Alpine", "Nordic", "Iberian",
              "Urban", "Coastal", "European", "Applied", "Open", "Clean")  # fmt: skip
_TOPICS = ("Photonics", "Batteries", "Hydrogen", "Textiles", "Aerospace", "Maritime", "Food",
           "Wood", "Logistics", "Robotics", "Biotech", "MedTech", "Packaging", "Water", "Steel",
           "Software", "Space", "Rail", "Furniture", "Ceramics")  # fmt: skip
_GIVEN = ("Anna", "Luca", "Marta", "Jean", "Eva", "Piotr", "Sofía", "Klaus", "Ingrid", "Chloé",
          "Björn", "Zoë", "Łukasz", "Aino", "Niamh", "Hugo")  # fmt: skip
_FAMILY = ("Novák", "Müller", "Rossi", "García", "Dubois", "Andersen", "Virtanen", "Silva",
           "Horváth", "Jansen", "O'Brien", "Kask", "Schmidt", "Moreau", "Lindgren")  # fmt: skip
_WORDS = ("innovation", "value", "chain", "regional", "partners", "cross-border", "pilot", "skills",
          "transition", "supply", "industry", "market", "cooperation", "technology", "roadmap",
          "network", "resilience", "strategy", "support", "companies", "training", "platform",
          "funding", "emission", "energy", "data", "standard", "export")  # fmt: skip
_COUNTRIES = ("AT", "BE", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HU", "IE", "IT", "LT",
              "LV", "NL", "PL", "PT", "RO", "SE", "SI", "SK")  # fmt: skip
_PER_MILLION = {"cluster": 1_450, "organisation": 22_500, "person": 21_000, "programme": 110,
                "project": 9_000, "agreement": 6_500, "mission": 850, "event": 6_500,
                "announcement": 9_500}  # fmt: skip
_FIRST_DAY = datetime.date(2004, 1, 1)


def write(path: Path, triples: int, *, seed: int = 7) -> int:
    """Write the graph as N-Quads, all in named graphs.

    Args:
        path: the file.
        triples: about how many; a few per cent more or less come.
        seed: another one gives another graph.

    Returns:
        How many were written.
    """
    number = 0
    with path.open("w", encoding="utf-8") as out:
        for line in _Graph(triples, seed).lines():
            out.write(line)
            number += 1
    return number


class _Graph:
    def __init__(self, triples: int, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311  no secret
        share = triples / 800_000
        self.sizes = {name: int(each * share) + 20 for name, each in _PER_MILLION.items()}
        self.graph = ""

    # -- terms ----------------------------------------------------------------------------------

    @staticmethod
    def _iri(curie: str) -> str:
        prefix, _colon, name = curie.partition(":")
        return f"<{_PREFIXES[prefix]}{name}>"

    def _id(self, kind: str, number: int | str) -> str:
        return f"<{BASE}id/{kind}/{number}>"

    @staticmethod
    def _text(text: str, language: str = "en") -> str:
        return f'"{text}"@{language}'

    def _typed(self, value: object, kind: str) -> str:
        return f'"{value}"^^{self._iri(f"xsd:{kind}")}'

    def _say(self, subject: str, **facts: str | list[str]) -> Iterator[str]:
        """Statements in the graph at hand; ``__`` stands for the colon of a name."""
        for name, values in facts.items():
            predicate = self._iri(name.replace("__", ":"))
            for value in [values] if isinstance(values, str) else values:
                yield f"{subject} {predicate} {value} {self.graph} .\n"

    # -- chances --------------------------------------------------------------------------------

    def _skewed(self, kind: str, power: float = 1.8) -> str:
        """One of a kind; the first ones far more often than the last."""
        size = self.sizes[kind]
        return self._id(kind, min(size - 1, int(size * self.chance.random() ** power)))

    def _several(self, kind: str, least: int, most: int) -> list[str]:
        found = {self._skewed(kind) for _ in range(self.chance.randint(least, most))}
        return sorted(found)

    def _sentence(self, words: int) -> str:
        return " ".join(self.chance.choices(_WORDS, k=words)).capitalize() + "."

    def _day(self, first: int, last: int) -> datetime.date:
        year = self.chance.randint(first, last)
        return datetime.date(year, 1, 1) + datetime.timedelta(self.chance.randrange(365))

    def _pareto(self, scale: float, shape: float = 1.2) -> int:
        return int(self.chance.paretovariate(shape) * scale)

    # -- content --------------------------------------------------------------------------------

    def lines(self) -> Iterator[str]:
        for part in (
            self._places, self._sectors, self._clusters, self._organisations, self._people,
            self._programmes, self._projects, self._agreements, self._missions, self._events,
            self._announcements,
        ):  # fmt: skip
            self.graph = f"<{BASE}graph/source/{part.__name__.strip('_')}>"
            yield from part()

    def _places(self) -> Iterator[str]:
        self.regions: list[tuple[str, str]] = []
        for code in _COUNTRIES:
            country = self._id("place", code)
            yield from self._say(
                country, rdf__type=self._iri("cg:Country"), dcterms__identifier=f'"{code}"',
                skos__prefLabel=[self._text(f"Country {code}"), self._text(f"Pays {code}", "fr")],
            )  # fmt: skip
            parents = [country]
            for level in range(1, 4):
                children = []
                for parent in parents:
                    for each in range(1, 4):
                        name = f"{parent[:-1].rpartition('/')[2]}{each}"
                        place = self._id("place", name)
                        children.append(place)
                        yield from self._say(
                            place, rdf__type=self._iri("cg:Region"), dcterms__isPartOf=parent,
                            dcterms__identifier=f'"{name}"',
                            skos__prefLabel=self._text(f"Region {name}"),
                        )  # fmt: skip
                        if level == 3:
                            self.regions.append((place, country))
                parents = children
        self.chance.shuffle(self.regions)

    def _region(self) -> tuple[str, str]:
        return self.regions[int(len(self.regions) * self.chance.random() ** 1.8)]

    def _sectors(self) -> Iterator[str]:
        self.sectors: list[str] = []
        scheme = f"<{BASE}scheme/sector>"
        for first, topic in enumerate(_TOPICS[:10]):
            parents = [(self._concept(f"{first}"), topic, "")]
            for level in range(3):
                children = []
                for concept, label, broader in parents:
                    yield from self._say(
                        concept, rdf__type=self._iri("skos:Concept"), skos__inScheme=scheme,
                        skos__prefLabel=self._text(label),
                        skos__broader=[broader] if broader else [],
                    )  # fmt: skip
                    if level == 2:
                        self.sectors.append(concept)
                    else:
                        children += [
                            (self._concept(f"{concept[:-1].rpartition('/')[2]}-{each}"),
                             f"{quality} {label}", concept)
                            for each, quality in enumerate(_QUALITIES[:5])
                        ]  # fmt: skip
                parents = children

    def _concept(self, notation: str) -> str:
        return f"<{BASE}scheme/sector/{notation}>"

    def _clusters(self) -> Iterator[str]:
        for number in range(self.sizes["cluster"]):
            node = self._id("cluster", number)
            quality, topic = self.chance.choice(_QUALITIES), self.chance.choice(_TOPICS)
            place, country = self._region()
            languages = ["en", *self.chance.sample(_LANGUAGES, 2)]
            yield from self._say(
                node, rdf__type=self._iri("cg:ClusterOrganisation"),
                skos__prefLabel=[
                    self._text(f"{quality} {topic} {_KINDS[each]} {number}", each)
                    for each in languages
                ],
                dcterms__identifier=f'"CL-{number:06d}"',
                dcterms__description=[
                    self._text(self._sentence(24)), self._text(self._sentence(20), "fr")
                ],
                cg__isBasedIn=[place, country], schema__foundingDate=self._typed(
                    self._day(1990, 2020), "date"
                ),
                schema__numberOfEmployees=self._typed(self._pareto(12), "integer"),
                cg__hasSector=self.chance.sample(self.sectors, self.chance.randint(1, 3)),
                foaf__homepage=[f"<https://cluster{number}.example/>"]
                if self.chance.random() < 0.7 else [],
            )  # fmt: skip

    def _organisations(self) -> Iterator[str]:
        kinds = ["company"] * 7 + ["university", "science-park", "public-agency"]
        for number in range(self.sizes["organisation"]):
            node, (place, country) = self._id("organisation", number), self._region()
            label = f"{self.chance.choice(_TOPICS)} {self.chance.choice(('Works', 'Labs', 'SA'))}"
            other = self.chance.choice(_LANGUAGES)
            yield from self._say(
                node, rdf__type=self._iri("org:Organization"),
                skos__prefLabel=[self._text(f"{label} {number}")] + (
                    [self._text(f"{label} ({other}) {number}", other)]
                    if self.chance.random() < 0.3 else []
                ),
                dcterms__type=f"<{BASE}scheme/organisation-kind/{self.chance.choice(kinds)}>",
                cg__isBasedIn=[place, country], cg__hasSector=self.chance.choice(self.sectors),
                schema__numberOfEmployees=self._typed(self._pareto(5, 0.9), "integer"),
                org__linkedTo=self._several("cluster", 1, 3),
            )  # fmt: skip

    def _people(self) -> Iterator[str]:
        roles = ("chief-executive", "vice-president", "ambassador", "contact", "author")
        for number in range(self.sizes["person"]):
            node, membership = self._id("person", number), self._id("membership", number)
            given, family = self.chance.choice(_GIVEN), self.chance.choice(_FAMILY)
            yield from self._say(
                node, rdf__type=self._iri("foaf:Person"), foaf__name=f'"{given} {family}"',
                foaf__givenName=f'"{given}"', foaf__familyName=f'"{family}"',
            )  # fmt: skip
            where = "cluster" if self.chance.random() < 0.2 else "organisation"
            yield from self._say(
                membership, rdf__type=self._iri("org:Membership"), org__member=node,
                org__organization=self._skewed(where),
                org__role=f"<{BASE}scheme/person-role/{self.chance.choice(roles)}>",
                cg__earliestDate=self._typed(self._day(2004, 2025), "date"),
            )  # fmt: skip

    def _programmes(self) -> Iterator[str]:
        for number in range(self.sizes["programme"]):
            part_of = [self._id("programme", number // 3)] if number > 5 else []
            yield from self._say(
                self._id("programme", number), rdf__type=self._iri("cg:FundingProgramme"),
                skos__prefLabel=self._text(f"Programme {self.chance.choice(_TOPICS)} {number}"),
                dcterms__isPartOf=part_of,
            )  # fmt: skip

    def _projects(self) -> Iterator[str]:
        for number in range(self.sizes["project"]):
            begins = self._day(2010, 2025)
            ends = begins + datetime.timedelta(self.chance.randint(360, 1500))
            label = f"{self.chance.choice(_QUALITIES)} {self.chance.choice(_TOPICS)} {number}"
            partners = self._several("organisation", 3, 9) + self._several("cluster", 0, 3)
            yield from self._say(
                self._id("project", number), rdf__type=self._iri("cg:Project"),
                skos__prefLabel=[self._text(label), self._text(f"Projet {label}", "fr")],
                dcterms__description=self._text(self._sentence(30)),
                cg__isCoFundedBy=self._skewed("programme"), cg__hasParticipant=partners,
                schema__startDate=self._typed(begins, "date"),
                schema__endDate=self._typed(ends, "date"),
                cg__hasSector=self.chance.choice(self.sectors),
            )  # fmt: skip

    def _agreements(self) -> Iterator[str]:
        kinds = ("memorandum-of-understanding", "commercial-agreement", "collaboration")
        for number in range(self.sizes["agreement"]):
            signed = self._day(2008, 2026)
            later = signed + datetime.timedelta(self.chance.randint(300, 2500))
            earlier = self.chance.randrange(number) if number > 10 else 0
            yield from self._say(
                self._id("agreement", number), rdf__type=self._iri("cg:Agreement"),
                skos__prefLabel=self._text(f"Agreement {number} on {self.chance.choice(_TOPICS)}"),
                cg__signedOn=self._typed(signed, "date"),
                cg__agreementKind=f"<{BASE}scheme/agreement-kind/{self.chance.choice(kinds)}>",
                cg__isSignedBy=self._several("cluster", 2, 7),
                cg__latestDate=[self._typed(later, "date")] if self.chance.random() < 0.6 else [],
                dcterms__isReplacedBy=[self._id("agreement", earlier)]
                if number > 10 and self.chance.random() < 0.2 else [],
            )  # fmt: skip

    def _missions(self) -> Iterator[str]:
        for number in range(self.sizes["mission"]):
            node, begins = self._id("mission", number), self._day(2012, 2026)
            country = self._id("place", self.chance.choice(_COUNTRIES))
            yield from self._say(
                node, rdf__type=self._iri("cg:Mission"), cg__hasDestination=country,
                skos__prefLabel=[
                    self._text(f"Mission {number}"), self._text(f"Voyage {number}", "fr")
                ],
                schema__startDate=self._typed(begins, "date"),
                cg__hasParticipant=self._several("cluster", 2, 8),
            )  # fmt: skip
            for position in range(self.chance.randint(3, 9)):
                yield from self._say(
                    self._id("agenda-item", f"{number}-{position}"), cg__agendaItemOf=node,
                    rdf__type=self._iri("cg:AgendaItem"),
                    schema__position=self._typed(position + 1, "integer"),
                    dcterms__title=self._text(self._sentence(5)),
                )  # fmt: skip

    def _events(self) -> Iterator[str]:
        for number in range(self.sizes["event"]):
            begins = self._day(2015, 2026)
            yield from self._say(
                self._id("event", number), rdf__type=self._iri("cg:Event"),
                skos__prefLabel=self._text(f"{self.chance.choice(_TOPICS)} forum {number}"),
                schema__startDate=self._typed(begins, "date"),
                schema__endDate=self._typed(
                    begins + datetime.timedelta(self.chance.randint(0, 3)), "date"
                ),
                cg__isOrganisedBy=self._skewed("cluster"), schema__location=self._region()[0],
                cg__hasParticipant=self._several("person", 0, 6),
            )  # fmt: skip

    def _announcements(self) -> Iterator[str]:
        for number in range(self.sizes["announcement"]):
            node, day = self._id("announcement", number), self._day(2018, 2026)
            self.graph = f"<{BASE}graph/source/announcement-{number}>"
            language = self.chance.choice(("en", *_LANGUAGES))
            yield from self._say(
                node, rdf__type=self._iri("cg:Announcement"),
                dcterms__title=self._text(self._sentence(6), language),
                schema__articleBody=self._text(self._sentence(30), language),
                dcterms__issued=self._typed(day, "date"),
                schema__about=self._several("cluster", 1, 2),
            )  # fmt: skip
            time = f"{day}T{self.chance.randrange(24):02d}:{self.chance.randrange(60):02d}:00Z"
            yield from self._say(
                self.graph, prov__wasAttributedTo=self._skewed("person"),
                prov__generatedAtTime=self._typed(time, "dateTime"),
                prov__wasDerivedFrom=f"<https://news.example/item/{number}>",
            )  # fmt: skip
