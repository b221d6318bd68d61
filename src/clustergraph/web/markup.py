"""The dataset in the words of schema.org, for search engines: JSON-LD in pages; data, no script."""

from __future__ import annotations

from typing import Any

from clustergraph import compression, rdf
from clustergraph.web import views


def dataset() -> dict[str, Any]:
    """The dataset of this site, with its files."""
    graph = views.graph()
    settings, release = graph.settings, views.release()
    catalog = settings.iri("catalog")
    publisher = {
        "@type": "Organization",
        "@id": f"{settings.dataset_iri}#maintainers",
        "name": settings.publisher or f"Maintainers of {settings.title}",
        "url": settings.base,
    }
    found: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": settings.dataset_iri,
        "identifier": settings.dataset_iri,
        "url": settings.dataset_iri,
        "name": settings.title,
        "description": settings.description or settings.title,
        "version": str(release.manifest.number),
        "dateModified": settings.modified or release.manifest.created,
        "inLanguage": list(settings.languages),
        "isAccessibleForFree": True,
        "creator": publisher,
        "publisher": publisher,
        "includedInDataCatalog": {"@type": "DataCatalog", "@id": catalog, "url": catalog},
        "distribution": [
            {
                "@type": "DataDownload",
                "name": f"{fmt.name}, {coding}",
                "contentUrl": settings.iri(f"dump/latest/{settings.stem}.{fmt.suffix}.{suffix}"),
                "encodingFormat": [fmt.media_type, compression.MEDIA_TYPES[suffix]],
            }
            for fmt in rdf.DUMP_FORMATS
            for suffix, coding in compression.SUFFIXES.items()
        ],
    }
    if settings.licence:
        found["license"] = settings.licence
    if settings.keywords:
        found["keywords"] = list(settings.keywords)
    if settings.issued:
        found["datePublished"] = settings.issued
    return found
