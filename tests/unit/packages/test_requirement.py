import pytest

from kirby.core.errors import InvalidRequirement
from kirby.core.requirement import Requirement, parse_requirement


def test_a_requirement_is_read_in_its_normal_form() -> None:
    requirement = parse_requirement("Sensor_Sales == 1.5.0RC1")

    assert requirement == Requirement(name="sensor-sales", version="1.5.0rc1")
    assert str(requirement) == "sensor-sales==1.5.0rc1"


@pytest.mark.parametrize(
    "text",
    ["forecast", "forecast==", "==1.0", "forecast>=1.0", "forecast===1.0", "forecast==1.*", ""],
)
def test_a_requirement_without_an_exact_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequirement):
        parse_requirement(text)


@pytest.mark.parametrize(
    "name",
    [
        "--index-url",
        "-r",
        "../forecast",
        "fore/cast",
        "forecast\n",
        "fore cast",
        "forecast[extra]",
        "ſensor",
        "forecast @ file:///etc",
        ".",
        "f" * 101,
    ],
)
def test_a_name_that_could_become_an_option_or_a_path_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequirement, match="a name has at most"):
        parse_requirement(f"{name}==1.0")


@pytest.mark.parametrize(
    "version", ["1.0 --index-url x", "1.0/../..", "one", "1.0;x", "１.0", "-1"]
)
def test_a_version_that_is_none_is_refused(version: str) -> None:
    with pytest.raises(InvalidRequirement, match="is no version"):
        parse_requirement(f"forecast=={version}")


def test_kirby_itself_is_no_package_of_a_script() -> None:
    with pytest.raises(InvalidRequirement, match="Kirby itself"):
        parse_requirement("Kirby==1.0")


def test_the_fault_names_the_field_it_was_found_in() -> None:
    with pytest.raises(InvalidRequirement) as raised:
        parse_requirement("forecast", field="job.forecast.package")

    assert str(raised.value) == (
        'job.forecast.package: package "forecast": give the exact version, as in forecast==1.2.3'
    )
