import io
import zipfile
from pathlib import Path

import pytest

from kirby.core.errors import NoMainModule
from kirby.core.requirement import Requirement, parse_requirement
from kirby.packages.main_module import main_module
from tests.builders.packages import a_wheel


def installed(folder: Path, requirement: Requirement, *files: str) -> Path:
    """Lay out a distribution as an installer does; each file would end a process that runs it."""
    content = dict.fromkeys(files, "raise SystemExit('was run')")
    _, wheel = a_wheel(requirement.name, requirement.version, files=content)
    zipfile.ZipFile(io.BytesIO(wheel)).extractall(folder)
    return folder


def found(folder: Path, package: str, *files: str) -> str:
    requirement = parse_requirement(package)
    return main_module(requirement, installed(folder, requirement, *files))


def test_the_module_bears_the_name_of_the_distribution(tmp_path: Path) -> None:
    module = found(
        tmp_path,
        "sensor-sales==1.0",
        "sensor_sales/__init__.py",
        "sensor_sales/__main__.py",
        "other/__main__.py",
    )

    assert module == "sensor_sales"


def test_capitals_in_the_name_of_a_module_are_found(tmp_path: Path) -> None:
    assert found(tmp_path, "fore-cast==1.0", "Fore_Cast/__main__.py") == "Fore_Cast"


def test_the_only_other_package_that_can_be_run_is_taken(tmp_path: Path) -> None:
    module = found(
        tmp_path,
        "shop-forecast==1.0",
        "weather/__init__.py",
        "weather/__main__.py",
        "lib/__init__.py",
    )

    assert module == "weather"


def test_a_plain_module_can_be_run(tmp_path: Path) -> None:
    assert found(tmp_path, "forecast==1.0", "forecast.py") == "forecast"


def test_a_package_without_a_main_cannot(tmp_path: Path) -> None:
    with pytest.raises(NoMainModule) as raised:
        found(tmp_path, "forecast==1.0", "forecast/__init__.py", "forecast/cli.py")

    assert str(raised.value) == (
        "package \"forecast==1.0\": it has no __main__, so 'python -m forecast' cannot run: "
        "add forecast/__main__.py"
    )


def test_of_several_that_could_be_meant_none_is_guessed(tmp_path: Path) -> None:
    with pytest.raises(NoMainModule, match=r"several of its modules can be run \(rain, sun\)"):
        found(tmp_path, "forecast==1.0", "rain/__main__.py", "sun/__main__.py")


def test_a_module_that_python_itself_hides_cannot_be_run(tmp_path: Path) -> None:
    with pytest.raises(NoMainModule, match="is hidden by the one of Python's own library"):
        found(tmp_path, "json==1.0", "json/__main__.py")


def test_modules_of_other_distributions_are_not_taken(tmp_path: Path) -> None:
    installed(tmp_path, parse_requirement("profit==1.0"), "profit/__main__.py")

    with pytest.raises(NoMainModule):
        found(tmp_path, "forecast==1.0", "forecast/__init__.py")
