"""Namespaces and terms of the ontology.

Written by tools/generate_vocab.py from the files of ontology/; change those and run it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

PREFIXES: Mapping[str, str] = MappingProxyType(
    {
        "cg": "ontology#",
        "cgsh": "shapes#",
        "id": "id/",
        "organisation": "id/organisation/",
        "person": "id/person/",
        "cluster": "id/cluster/",
        "alliance": "id/alliance/",
        "group": "id/group/",
        "place": "id/place/",
        "programme": "id/programme/",
        "call": "id/call/",
        "project": "id/project/",
        "award": "id/award/",
        "output": "id/output/",
        "agreement": "id/agreement/",
        "signature": "id/signature/",
        "participation": "id/participation/",
        "objective": "id/objective/",
        "measure": "id/measure/",
        "event": "id/event/",
        "series": "id/series/",
        "mission": "id/mission/",
        "agenda-item": "id/agenda-item/",
        "deadline": "id/deadline/",
        "condition": "id/condition/",
        "document": "id/document/",
        "announcement": "id/announcement/",
        "source": "id/source/",
        "passage": "id/passage/",
        "statement": "id/statement/",
        "figure": "id/figure/",
        "contact-point": "id/contact-point/",
        "membership": "id/membership/",
        "post": "id/post/",
        "label": "id/label/",
        "attestation": "id/attestation/",
        "ambiguity": "id/ambiguity/",
        "reading": "id/reading/",
        "agreement-kind": "scheme/agreement-kind/",
        "attribution-mode": "scheme/attribution-mode/",
        "audience": "scheme/audience/",
        "certainty": "scheme/certainty/",
        "comparator": "scheme/comparator/",
        "contact-purpose": "scheme/contact-purpose/",
        "day-part": "scheme/day-part/",
        "document-kind": "scheme/document-kind/",
        "event-kind": "scheme/event-kind/",
        "item-kind": "scheme/item-kind/",
        "market": "scheme/market/",
        "metric": "scheme/metric/",
        "mission-kind": "scheme/mission-kind/",
        "organisation-kind": "scheme/organisation-kind/",
        "participation-role": "scheme/participation-role/",
        "person-role": "scheme/person-role/",
        "sector": "scheme/sector/",
        "status": "scheme/status/",
        "unit": "scheme/unit/",
        "adms": "http://www.w3.org/ns/adms#",
        "cv": "http://data.europa.eu/m8g/",
        "dcat": "http://www.w3.org/ns/dcat#",
        "dcterms": "http://purl.org/dc/terms/",
        "eurio": "http://data.europa.eu/s66#",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "frapo": "http://purl.org/cerif/frapo/",
        "geo": "http://www.opengis.net/ont/geosparql#",
        "ldes": "https://w3id.org/ldes#",
        "locn": "http://www.w3.org/ns/locn#",
        "oa": "http://www.w3.org/ns/oa#",
        "org": "http://www.w3.org/ns/org#",
        "owl": "http://www.w3.org/2002/07/owl#",
        "prov": "http://www.w3.org/ns/prov#",
        "qb": "http://purl.org/linked-data/cube#",
        "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
        "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
        "schema": "https://schema.org/",
        "sh": "http://www.w3.org/ns/shacl#",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "skosxl": "http://www.w3.org/2008/05/skos-xl#",
        "time": "http://www.w3.org/2006/time#",
        "tree": "https://w3id.org/tree#",
        "vann": "http://purl.org/vocab/vann/",
        "voaf": "http://purl.org/vocommons/voaf#",
        "void": "http://rdfs.org/ns/void#",
        "vs": "http://www.w3.org/2003/06/sw-vocab-status/ns#",
        "xsd": "http://www.w3.org/2001/XMLSchema#",
    }
)
"""All prefixes; a namespace of our own is relative to the base IRI."""

ID_TYPES = (
    "organisation",
    "person",
    "cluster",
    "alliance",
    "group",
    "place",
    "programme",
    "call",
    "project",
    "award",
    "output",
    "agreement",
    "signature",
    "participation",
    "objective",
    "measure",
    "event",
    "series",
    "mission",
    "agenda-item",
    "deadline",
    "condition",
    "document",
    "announcement",
    "source",
    "passage",
    "statement",
    "figure",
    "contact-point",
    "membership",
    "post",
    "label",
    "attestation",
    "ambiguity",
    "reading",
)
"""The types of entities: the part of an entity's IRI between ``id/`` and its slug."""

SCHEMES = (
    "agreement-kind",
    "attribution-mode",
    "audience",
    "certainty",
    "comparator",
    "contact-purpose",
    "day-part",
    "document-kind",
    "event-kind",
    "item-kind",
    "market",
    "metric",
    "mission-kind",
    "organisation-kind",
    "participation-role",
    "person-role",
    "sector",
    "status",
    "unit",
)
"""The concept schemes."""

CLASSES = frozenset(
    {
        "AgendaItem",
        "Agreement",
        "Ambiguity",
        "Announcement",
        "Attestation",
        "Call",
        "City",
        "Cluster",
        "ClusterAlliance",
        "ClusterEntity",
        "ClusterOrganisation",
        "ContactPoint",
        "CountFigure",
        "Country",
        "Deadline",
        "Document",
        "Event",
        "EventSeries",
        "Figure",
        "FundingAward",
        "FundingProgramme",
        "Measure",
        "Mission",
        "MonetaryFigure",
        "Objective",
        "Participation",
        "ParticipationCondition",
        "Passage",
        "Place",
        "Project",
        "ProjectOutput",
        "Quotation",
        "Reading",
        "Region",
        "ReportedStatement",
        "ShareFigure",
        "Signature",
        "SourceDocument",
        "StakeholderGroup",
        "Statement",
        "Venue",
        "WorldRegion",
    }
)
"""The names of the ontology's classes."""

PROPERTIES = frozenset(
    {
        "actsOnBehalfOf",
        "agendaItemOf",
        "agreementKind",
        "announces",
        "asWritten",
        "attributionMode",
        "awardedBy",
        "awardedTo",
        "awardedUnder",
        "belongsToProgramme",
        "boundDate",
        "callIdentifier",
        "carriesOut",
        "certainty",
        "coFunds",
        "comparator",
        "concernsEvent",
        "concernsPlace",
        "contactFor",
        "contactPerson",
        "contactPurpose",
        "containsPassage",
        "continues",
        "dayPart",
        "documentKind",
        "earliestDate",
        "eventKind",
        "eventStatus",
        "firstLine",
        "followsUp",
        "hasAgendaItem",
        "hasAllianceMember",
        "hasAudience",
        "hasAward",
        "hasCall",
        "hasCondition",
        "hasContactPoint",
        "hasCurrency",
        "hasDeadline",
        "hasDenominator",
        "hasDestination",
        "hasEdition",
        "hasKickOff",
        "hasLostTarget",
        "hasMeasure",
        "hasObjective",
        "hasOutput",
        "hasParticipant",
        "hasParticipation",
        "hasPassage",
        "hasReading",
        "hasRestrictedDetail",
        "hasRole",
        "hasSector",
        "hasSignature",
        "hasUnit",
        "hosts",
        "inAnnouncement",
        "inFrameworkOf",
        "includesBound",
        "isAbout",
        "isAddressedTo",
        "isAllianceMemberOf",
        "isAnnouncedIn",
        "isBasedIn",
        "isCarriedOutBy",
        "isCoFundedBy",
        "isCoOrganisedWith",
        "isContinuedBy",
        "isCoordinatedWith",
        "isEditionOf",
        "isFollowedUpBy",
        "isHeldWithin",
        "isManagedBy",
        "isManagedByAgency",
        "isNarratedIn",
        "isOrganisedBy",
        "isOutputOf",
        "isPreferred",
        "isReportedIn",
        "isRepresentedBy",
        "isSelectedUnder",
        "isSignedAt",
        "isSignedBy",
        "isSpokenForBy",
        "isStatedBy",
        "isSubsetOf",
        "isSupportedBy",
        "itemKind",
        "lastLine",
        "latestDate",
        "manages",
        "managesCall",
        "measures",
        "missionKind",
        "narrates",
        "numericValue",
        "organises",
        "participant",
        "participatesIn",
        "participationIn",
        "passageSha256",
        "rationale",
        "referencePeriod",
        "reportsOn",
        "requiresAction",
        "requiresRegistration",
        "selects",
        "sha256",
        "signatory",
        "signatureOf",
        "signedOn",
        "signs",
        "speakingAs",
        "speaksFor",
        "states",
        "supports",
        "supportsEvent",
        "supportsTriple",
        "targetsExploredMarket",
        "targetsMarket",
        "targetsNewMarket",
    }
)
"""The names of the ontology's properties."""


def prefixes(base: str) -> Mapping[str, str]:
    """All prefixes with full namespaces.

    Args:
        base: the base IRI of what is published.
    """
    return {
        prefix: namespace if ":" in namespace else base + namespace
        for prefix, namespace in PREFIXES.items()
    }


@dataclass(frozen=True)
class Vocabulary:
    """IRIs of terms, concepts and entities under one base IRI."""

    base: str

    def cg(self, name: str) -> str:
        """The IRI of a class or property of the ontology.

        Raises:
            LookupError: the ontology has no such term.
        """
        if name not in CLASSES and name not in PROPERTIES:
            raise LookupError(f"The ontology has no term {name!r}.")
        return f"{self.base}ontology#{name}"

    def concept(self, scheme: str, notation: str) -> str:
        """The IRI of a concept.

        Raises:
            LookupError: there is no such scheme.
        """
        if scheme not in SCHEMES:
            raise LookupError(f"There is no concept scheme {scheme!r}.")
        return f"{self.base}scheme/{scheme}/{notation}"

    def entity(self, kind: str, slug: str) -> str:
        """The IRI of an entity.

        Raises:
            LookupError: there is no such type of entities.
        """
        if kind not in ID_TYPES:
            raise LookupError(f"There is no type of entities {kind!r}.")
        return f"{self.base}id/{kind}/{slug}"
