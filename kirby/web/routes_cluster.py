"""Hosts, daemons, topics, and the one line that says whether all is well."""

from typing import Any

from bottle import Bottle

from kirby.core.document.reading import DEFAULT_PARTITIONS
from kirby.core.document.table import Unfit
from kirby.core.document.values import check_topic
from kirby.core.errors import InvalidInput
from kirby.model.cluster import daemons, hosts
from kirby.web import shapes
from kirby.web.asking import body, parameter, wants_page
from kirby.web.caller import caller_of
from kirby.web.page_cluster import daemons_page, hosts_page
from kirby.web.parts import Parts
from kirby.web.standing import standing

TOPICS_LIMIT = 100


def add(app: Bottle, parts: Parts) -> None:
    """Add the routes."""

    @app.get("/status")
    def status() -> Any:
        caller_of(parts)
        return standing(parts).shape()

    @app.get("/daemons")
    def all_daemons() -> Any:
        caller = caller_of(parts)
        found = daemons(parts.now(), parameter("context", str, None))
        if wants_page():
            return daemons_page(parts, caller, found)
        return {"daemons": [shapes.daemon(each) for each in found]}

    @app.get("/hosts")
    def all_hosts() -> Any:
        caller = caller_of(parts)
        found = hosts(parts.now())
        if wants_page():
            return hosts_page(parts, caller, found)
        return {"hosts": [shapes.host(each) for each in found]}

    @app.post("/topics")
    def topics() -> Any:
        caller_of(parts)
        names = _topic_names(body().get("names"))
        return {"topics": list(parts.topics.ensure(dict.fromkeys(names, DEFAULT_PARTITIONS)))}


def _topic_names(names: Any) -> list[str]:
    if not isinstance(names, list) or not 0 < len(names) <= TOPICS_LIMIT:
        raise InvalidInput(f'send "names" as a list of 1 to {TOPICS_LIMIT} topics', field="names")
    for name in names:
        try:
            check_topic(name if isinstance(name, str) else "")
        except Unfit as unfit:
            raise InvalidInput(f'topic "{name}"{unfit}', field="names") from None
    return names
