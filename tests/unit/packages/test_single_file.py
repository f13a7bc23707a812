import io
import zipfile

import pytest

from kirby.core.errors import InvalidInput
from kirby.packages.single_file import wheel_of_file
from kirby.packages.wheel_file import Wheel, same_members

SENSOR = '''# /// script
# requires-python = ">=3.11"
# dependencies = ["kirby", "httpx>=0.27"]
# ///
"""Send the shop's new sales to the topic `sales`.

More words.
"""
import httpx
from kirby import Topic

__version__ = "1.4.0"
'''


def a_file(text: str = SENSOR, name: str = "sensor_sales.py", version: str | None = None) -> Wheel:
    return wheel_of_file(name, text.encode(), version=version)


def read(wheel: Wheel, path: str) -> str:
    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        return archive.read(path).decode()


def test_a_file_becomes_a_package_that_runs_it_as_it_is() -> None:
    wheel = a_file()

    assert str(wheel.requirement) == "sensor-sales==1.4.0"
    assert wheel.filename == "sensor_sales-1.4.0-py3-none-any.whl"
    assert read(wheel, "sensor_sales/__main__.py") == SENSOR


def test_what_the_file_says_of_itself_is_in_the_metadata() -> None:
    metadata = read(a_file(), "sensor_sales-1.4.0.dist-info/METADATA")

    assert metadata.splitlines() == [
        "Metadata-Version: 2.1",
        "Name: sensor-sales",
        "Version: 1.4.0",
        "Summary: Send the shop's new sales to the topic `sales`.",
        "Requires-Python: >=3.11",
        "Requires-Dist: kirby",
        "Requires-Dist: httpx>=0.27",
    ]


def test_every_member_is_in_the_record_with_its_digest() -> None:
    wheel = a_file()

    record = read(wheel, "sensor_sales-1.4.0.dist-info/RECORD").splitlines()

    with zipfile.ZipFile(io.BytesIO(wheel.content)) as archive:
        assert [line.split(",")[0] for line in record] == archive.namelist()
    assert all(",sha256=" in line for line in record[:-1])
    assert record[-1] == "sensor_sales-1.4.0.dist-info/RECORD,,"


def test_the_same_file_gives_the_same_wheel() -> None:
    assert a_file().content == a_file().content


def test_archives_are_compared_by_what_they_hold() -> None:
    changed = a_file(SENSOR + "# changed\n")

    assert same_members(a_file().content, a_file().content)
    assert not same_members(a_file().content, changed.content)
    assert not same_members(a_file().content, b"no archive")


def test_tool_kirby_names_package_and_version() -> None:
    text = '# /// script\n# [tool.kirby]\n# name = "shop"\n# version = "2.0rc1"\n# ///\n'

    assert str(a_file(text).requirement) == "shop==2.0rc1"


def test_a_version_that_is_given_wins_over_the_one_in_the_file() -> None:
    assert str(a_file(version="1.5.0").requirement) == "sensor-sales==1.5.0"


def test_a_file_that_needs_nothing_needs_no_metadata() -> None:
    text = "import json\nfrom kirby import log\nlog.info(json.dumps(1))\n"

    assert str(a_file(text, version="1.0").requirement) == "sensor-sales==1.0"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("print('x')\n", "sensor_sales.py: it says no version: add __version__"),
        ("import httpx\n__version__ = '1.0'\n", "it imports httpx and has no metadata: begin"),
        ("def broken(:\n", "sensor_sales.py:1:12: this is no Python: invalid syntax"),
        ("x = '\0'\n", "this is no Python"),
        (
            '# /// script\n# dependencies = ["ok", "not ok!", 3]\n# ///\n',
            "dependency 'not ok!': write it as name>=1.2\nsensor_sales.py: dependency 3",
        ),
        (
            "# /// script\n# dependencies = [\n# ///\n",
            "sensor_sales.py:2: the metadata are no TOML",
        ),
        ("# /// script\n# dependencies = []\nprint(1)\n", "the block of metadata does not end"),
        ("# /// script\n# ///\n#\n\n# /// script\n# ///\n", "sensor_sales.py:5: a second block"),
        ("# /// script\n# dependancies = []\n# ///\n", 'there is no "dependancies"'),
        ('# /// script\n# requires-python = "three"\n# ///\n', "requires-python 'three'"),
        ("# /// script\n# ///\n__version__ = 'one'\n", '"one" is no version'),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        a_file(text)

    assert sentence in str(raised.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("json.py", 'Python has a module "json" of its own'),
        ("class.py", '"class" cannot be the name of a module'),
        ("2sales.py", '"2sales" cannot be the name of a module'),
        ("my sales.py", "a name has at most"),
        ("kirby.py", "Kirby itself"),
        ("-r.py", "a name has at most"),
    ],
)
def test_a_file_whose_name_no_module_can_have_is_refused(name: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        a_file(name=name)

    assert sentence in str(raised.value)
