from pathlib import Path

import pytest

from kirby.shim.events import REQUESTS
from kirby.shim.folder import name_of
from kirby.shim.parking import has_gate
from kirby.shim.refusals import Refused
from kirby.shim.requests import Order
from tests.builders.shim import request

WRONG = [
    ("run", ""),
    ("run", "../etc"),
    ("run", "a.b@1"),
    ("run", "a/b\n"),
    ("attempt", -1),
    ("attempt", True),
    ("attempt", 0),
    ("incarnation", None),
    ("kind", "cron"),
    ("argv", []),
    ("argv", ["a\0b"]),
    ("argv", "python"),
    ("env", {"A=B": "c"}),
    ("env", {"A": 1}),
    ("prestart", 1),
    ("grace_ms", 1.5),
]


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_a_wrong_field_is_refused_by_its_name(field: str, value: object) -> None:
    with pytest.raises(Refused) as refused:
        Order(request(**{field: value}))

    assert refused.value.code == "invalid"
    assert f'"{field}"' in refused.value.sentence


def test_a_bare_order_has_defaults() -> None:
    order = Order(
        {
            "incarnation": 1,
            "run": "pump/prod@1",
            "attempt": 1,
            "context": "pump/prod",
            "kind": "run",
            "argv": ["/bin/true"],
        }
    )

    assert (order.grace, order.time_limit, order.prestart, order.exclusive) == (
        10_000_000_000,
        0,
        True,
        False,
    )


def test_every_request_of_the_seam_is_known() -> None:
    assert set(REQUESTS) == {"hello", "arm", "bar", "stop", "renew", "list", "shipped", "end"}


def test_no_two_attempts_share_a_folder() -> None:
    names = {name_of("a/b@1", 1), name_of("a/b@1", 11), name_of("a/b@11", 1), name_of("a/b#1", 1)}

    assert len(names) == 4


def test_only_python_with_the_gate_is_parked(tmp_path: Path) -> None:
    packages = tmp_path / "lib" / "python3.12" / "site-packages"
    packages.mkdir(parents=True)
    python = str(tmp_path / "bin" / "python")

    without = has_gate([python, "-m", "pump"])
    (packages / "_kirby_gate.pth").touch()

    assert not without
    assert has_gate([python, "-m", "pump"])
    assert has_gate([python, "-u", "-m", "pump"])
    assert not has_gate([python, "-S", "-m", "pump"])
    assert not has_gate([python, "pump.py"])
    assert not has_gate(["/bin/sleep", "1"])
