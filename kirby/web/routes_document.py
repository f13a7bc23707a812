"""Documents: planned, applied, exported."""

from collections.abc import Mapping
from typing import Any

from bottle import Bottle

from kirby.core.document.difference import Prune
from kirby.core.errors import InvalidInput
from kirby.model.document import Document, Plan, apply_document, export_document, plan_document
from kirby.web import shapes
from kirby.web.asking import body, truth_of
from kirby.web.caller import Caller, caller_of
from kirby.web.parts import Parts


def add(app: Bottle, parts: Parts) -> None:
    """Add the routes."""

    @app.get("/document")
    def export() -> Any:
        caller_of(parts)
        return export_document(parts.key)

    @app.post("/document/plan")
    def plan() -> Any:
        document = _document(caller_of(parts))
        planned = plan_document(document, parts.key, parts.catalogue.lacks, parts.now())
        return _changes(planned)

    @app.post("/document/apply")
    def apply() -> Any:
        document = _document(caller_of(parts))
        applied = apply_document(document, parts.key, parts.catalogue.lacks, parts.now())
        # After the commit: a topic too many does no harm, and applying again creates the rest.
        topics = list(parts.topics.ensure(applied.topics)) if applied.topics else []
        return {**_changes(applied), "topics": topics}


def _document(caller: Caller) -> Document:
    data = body()
    document, revision = data.get("document"), data.get("revision")
    if not isinstance(document, Mapping):
        raise InvalidInput('send the document as "document"', field="document")
    if revision is not None and (not isinstance(revision, int) or isinstance(revision, bool)):
        raise InvalidInput('send "revision" as the number that the plan gave', field="revision")
    return Document(
        data=document,
        prune=Prune.DELETE if truth_of(data, "prune", False) else Prune.KEEP,
        by=caller.name,
        revision=revision,
    )


def _changes(plan: Plan) -> dict[str, Any]:
    return {"changes": [shapes.change(each) for each in plan.changes], "revision": plan.revision}
