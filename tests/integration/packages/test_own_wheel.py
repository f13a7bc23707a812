"""Kirby as a wheel, made from a checkout and from an installation."""

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from uv import find_uv_bin

from kirby.packages.own_wheel import own_wheel
from kirby.packages.uv import scrubbed

pytestmark = pytest.mark.integration

SURROUNDINGS = scrubbed(os.environ)
MAKE = """
import os, sys
from pathlib import Path
from kirby.packages.own_wheel import own_wheel
from kirby.packages.uv import scrubbed
print(own_wheel(Path(sys.argv[1]), digest='0', surroundings=scrubbed(os.environ)).path)
"""


def members(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(wheel.read_bytes())) as archive:
        return {m: archive.read(m) for m in archive.namelist() if not m.endswith("/RECORD")}


def installed(wheel: Path, folder: Path) -> Path:
    python = folder / "bin" / "python"
    commands: tuple[tuple[str | Path, ...], ...] = (
        ("venv", "--python", sys.executable, folder),
        ("pip", "install", "--python", python, wheel, "packaging", "uv"),
    )
    for command in commands:
        subprocess.run([find_uv_bin(), "-q", "--no-config", *command], check=True, cwd="/")
    return python


def test_a_checkout_becomes_a_wheel_with_the_gate_in_it(tmp_path: Path) -> None:
    wheel = own_wheel(tmp_path, digest="0", surroundings=SURROUNDINGS)

    assert {"_kirby_gate.py", "_kirby_gate.pth", "kirby/__init__.py"} <= set(members(wheel.path))
    assert wheel.requirement.startswith("kirby @ file:///")
    assert wheel.requirement.endswith(f"#sha256={wheel.sha256}")


def test_it_is_made_once(tmp_path: Path) -> None:
    first = own_wheel(tmp_path, digest="0", surroundings=SURROUNDINGS)
    made = first.path.stat().st_mtime_ns

    again = own_wheel(
        tmp_path, digest="0", surroundings={}
    )  # without a PATH nothing could be built

    assert again == first
    assert again.path.stat().st_mtime_ns == made


def test_an_installation_becomes_the_wheel_that_it_came_from(tmp_path: Path) -> None:
    original = own_wheel(tmp_path / "original", digest="0", surroundings=SURROUNDINGS)
    python = installed(original.path, tmp_path / "installed")

    made = subprocess.run(
        [python, "-c", MAKE, tmp_path / "again"],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )

    assert members(Path(made.stdout.strip())) == members(original.path)
