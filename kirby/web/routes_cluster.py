"""Hosts, daemons, topics, and the one line that says whether all is well."""

from typing import Any

from bottle import Bottle, redirect

from kirby.core.document.reading import DEFAULT_PARTITIONS
from kirby.core.document.table import Unfit
from kirby.core.document.values import check_topic
from kirby.core.errors import InvalidInput, NotFound
from kirby.model.cluster import daemons, host, hosts
from kirby.model.drains import drain, undo_drain
from kirby.model.roll_outs import roll_outs
from kirby.model.serving import web_services
from kirby.web import shapes
from kirby.web.asking import body, parameter, wants_page
from kirby.web.caller import caller_of
from kirby.web.page_cluster import daemons_page, hosts_page
from kirby.web.parts import Parts
from kirby.web.standing import standing

TOPICS_LIMIT = 100


def add(app: Bottle, parts: Parts) -> None:
    """Add the routes."""
    _add_status(app, parts)
    _add_daemons(app, parts)
    _add_hosts(app, parts)
    _add_draining(app, parts)
    _add_topics(app, parts)


def _add_status(app: Bottle, parts: Parts) -> None:
    @app.get("/status")
    def status() -> Any:
        caller_of(parts)
        return standing(parts).shape()


def _add_daemons(app: Bottle, parts: Parts) -> None:
    @app.get("/daemons")
    def all_daemons() -> Any:
        caller = caller_of(parts)
        context = parameter("context", str, None)
        found, rolling = daemons(parts.now(), context), roll_outs(context)
        if wants_page():
            return daemons_page(parts, caller, found, rolling)
        return {
            "daemons": [shapes.daemon(each) for each in found],
            "roll_outs": [shapes.roll_out(each) for each in rolling],
        }


def _add_hosts(app: Bottle, parts: Parts) -> None:
    @app.get("/hosts")
    def all_hosts() -> Any:
        caller = caller_of(parts)
        found = hosts(parts.now())
        if wants_page():
            return hosts_page(parts, caller, found)
        return {"hosts": [shapes.host(each, parts.now()) for each in found]}

    @app.get("/hosts/<host>")
    def one_host(host: str) -> Any:
        caller_of(parts)
        return _look(parts, host)


def _add_draining(app: Bottle, parts: Parts) -> None:
    @app.post("/hosts/<host>/drain")
    def take_out(host: str) -> Any:
        caller = caller_of(parts)
        drain(host, caller.name, parts.now())
        return redirect("/hosts", 303) if wants_page() else _look(parts, host)

    @app.delete("/hosts/<host>/drain")
    def take_back(host: str) -> Any:
        caller_of(parts)
        changed = undo_drain(host)
        return redirect("/hosts", 303) if wants_page() else {"host": host, "changed": changed}

    @app.get("/web-services")
    def all_web_services() -> Any:
        caller_of(parts)
        return {"services": [shapes.plain(each) for each in web_services(parts.now())]}


def _add_topics(app: Bottle, parts: Parts) -> None:
    @app.post("/topics")
    def topics() -> Any:
        caller_of(parts)
        names = _topic_names(body().get("names"))
        return {"topics": list(parts.topics.ensure(dict.fromkeys(names, DEFAULT_PARTITIONS)))}


def _look(parts: Parts, name: str) -> dict[str, Any]:
    found = host(name, parts.now())
    if found is None:
        raise NotFound(f'there is no host "{name}": see kirby hosts')
    return shapes.host(found, parts.now())


def _topic_names(names: Any) -> list[str]:
    if not isinstance(names, list) or not 0 < len(names) <= TOPICS_LIMIT:
        raise InvalidInput(f'send "names" as a list of 1 to {TOPICS_LIMIT} topics', field="names")
    for name in names:
        try:
            check_topic(name if isinstance(name, str) else "")
        except Unfit as unfit:
            raise InvalidInput(f'topic "{name}"{unfit}', field="names") from None
    return names
