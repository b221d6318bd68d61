"""What the reconciliation services say of themselves: version 0.2, and the draft of 1.0."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from flask import request

from clustergraph.reconciliation import BATCH
from clustergraph.web import views

KINDS = ("entity", "property", "type")
"""What is suggested."""
_WIDTH, _HEIGHT = 400, 220
_LIMIT: dict[str, Any] = {"type": "number", "default": 0}
_HELP = "Most values of a property; 0: all."


def old(types: list[dict[str, str]]) -> dict[str, Any]:
    """The manifest of version 0.2 (section 3.2).

    Args:
        types: which a client may propose.
    """
    settings = views.graph().settings
    suggest = {
        kind: {
            "service_url": _root("/reconcile"),
            "service_path": f"/suggest/{kind}",
            "flyout_service_url": _root("/reconcile"),
            "flyout_service_path": f"/flyout/{kind}?id=${{id}}",
        }
        for kind in KINDS
    }
    preview = {"url": _root("/reconcile/preview?id={{id}}"), "width": _WIDTH, "height": _HEIGHT}
    proposal = {"service_url": _root("/reconcile"), "service_path": "/extend/propose"}
    return {
        "versions": ["0.2"],
        **_common(types),
        "identifierSpace": settings.base,
        "schemaSpace": settings.iri("ontology"),
        "view": {"url": _root("/reconcile/view?id={{id}}")},
        "preview": preview,
        "suggest": suggest,
        "extend": {
            "propose_properties": proposal,
            "property_settings": [
                {"name": "limit", "label": "Limit"} | _LIMIT | {"help_text": _HELP}
            ],
        },
    }


def draft(types: list[dict[str, str]]) -> dict[str, Any]:
    """The manifest of the draft of version 1.0 (section 3.1).

    Args:
        types: which a client may propose.
    """
    setting = {"id": "limit", "name": "Limit"} | _LIMIT | {"helpText": _HELP}
    return {
        "versions": ["1.0-draft"],
        **_common(types),
        "view": {"url": _root("/reconcile/view?id={id}")},
        "preview": {"width": _WIDTH, "height": _HEIGHT},
        "suggest": dict.fromkeys(KINDS, True),
        "extend": {"proposeProperties": True, "propertySettings": [setting]},
        "standardizedScore": True,
    }


def _common(types: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "name": views.graph().settings.title,
        "documentation": _root("/"),
        "serviceVersion": version("clustergraph"),
        "logo": _root("/static/icon.svg"),
        "defaultTypes": types,
        "batchSize": BATCH,
    }


def _root(path: str) -> str:
    """The absolute address of a path: a manifest is read apart from where it stands."""
    return (views.graph().settings.public_url or request.url_root.rstrip("/")) + path
