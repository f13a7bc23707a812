"""Hosts that are here, and hosts that would join them."""

from typing import Any

from kirby.core.configuration import HostConfiguration
from kirby.core.configuration_fields import Endpoint
from kirby.core.names import Host, StateFolderId
from kirby.core.roll_call import Introduction

LEADER = Endpoint(host="127.0.0.1", port=8641)


def introduction(
    host: str = "alpha", *, life: int = 1, folder: str = "", **more: Any
) -> Introduction:
    facts: dict[str, Any] = {
        "listens": "127.0.0.1:8641",
        "version": "0.1.0",
        "kafka": "127.0.0.1:9092",
        "kafka_cluster": "one",
        "web_urls": ("http://127.0.0.1:8642",),
        **more,
    }
    return Introduction(
        host=Host(host),
        life=life,
        state_folder=StateFolderId(folder or f"folder of {host}"),
        supervisor=f"{host}, life {life}",
        **facts,
    )


def joining_host(name: str = "beta", **more: Any) -> HostConfiguration:
    given: dict[str, Any] = {"port": 8651, "convention_leader": LEADER, **more}
    return HostConfiguration(name=Host(name), state="/s", **given)
