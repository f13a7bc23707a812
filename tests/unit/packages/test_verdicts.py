"""The words are uv's own, of versions 0.8 and 0.13, cut to what matters."""

import pytest

from kirby.core.errors import (
    BuildFailed,
    DependenciesUnmet,
    IndexRefused,
    IndexUnreachable,
    InstallationError,
    NoDiskSpace,
    PackageNotFound,
    RequiresPython,
    SourceBuildsNotAllowed,
)
from kirby.packages.verdicts import verdict

UNSATISFIABLE = "we can conclude that your requirements are unsatisfiable."
CASES: dict[str, tuple[type[InstallationError], str]] = {
    f"""error: No solution found when resolving dependencies
  cause: Because forecast was not found in the package registry and you require
      forecast==0.9.2, {UNSATISFIABLE}""": (PackageNotFound, "no such package in the index"),
    f"""  × No solution found when resolving dependencies:
  ╰─▶ Because there is no version of forecast==0.9.2 and you require forecast==0.9.2,
      {UNSATISFIABLE}""": (PackageNotFound, "no such package in the index"),
    f"""error: No solution found when resolving dependencies
  cause: Because flour was not found in the package registry and all versions of forecast
         depend on flour, we can conclude that all versions of forecast cannot be used.
         And because you require forecast==0.9.2, {UNSATISFIABLE}""": (
        DependenciesUnmet,
        "Because flour was not found in the package registry and all versions",
    ),
    f"""error: No solution found when resolving dependencies
  cause: Because forecast==0.9.2 requires Python >=3.99 and you require forecast==0.9.2,
         {UNSATISFIABLE}""": (
        RequiresPython,
        "it requires Python >=3.99, and this host has 3.11.7",
    ),
    f"""error: No solution found when resolving dependencies
  cause: Because forecast==0.9.2 has no usable wheels and you require forecast==0.9.2,
         {UNSATISFIABLE}
hint: Wheels are required for `forecast` because building from source is disabled""": (
        SourceBuildsNotAllowed,
        "it has no wheel for this host",
    ),
    """error: No solution found when resolving dependencies
  cause: Because all versions of docopt have no usable wheels and all versions of forecast ...
hint: Wheels are required for `docopt` because building from source is disabled""": (
        SourceBuildsNotAllowed,
        "docopt has no wheel for this host",
    ),
    """error: Request failed after 3 retries in 9.1s
  cause: Failed to fetch: http://index.test/simple/forecast/
  cause: client error (Connect)
  cause: Connection refused (os error 111)""": (
        IndexUnreachable,
        "the package index at http://index.test/simple/forecast/ does not answer",
    ),
    """error: Request failed after 3 retries in 13.5s
  cause: HTTP status server error (503 Down) for url (http://index.test/simple/forecast/)""": (
        IndexUnreachable,
        "at http://index.test/simple/forecast/ does not answer",
    ),
    f"""error: No solution found when resolving dependencies
  cause: Because forecast was not found in the package registry, {UNSATISFIABLE}
hint: An index URL (http://index.test/simple/) could not be queried due to a lack of valid
authentication credentials (401 Unauthorized)""": (IndexRefused, "refuses this host"),
    """error: Failed to extract archive
  cause: No space left on device (os error 28)""": (NoDiskSpace, "no space is left"),
    """error: Failed to build `forecast==0.9.2`
  cause: The build backend returned an error
      gcc: fatal error: no input files""": (BuildFailed, "gcc: fatal error: no input files"),
}


@pytest.mark.parametrize("words", CASES)
def test_the_installers_words_become_one_sentence_of_a_class_of_its_own(words: str) -> None:
    kind, part = CASES[words]

    fault = verdict("forecast==0.9.2", words, folder="/state", python="3.11.7")

    assert type(fault) is kind
    assert part in str(fault)
    assert "\n" not in str(fault)


def test_a_silent_installer_gets_a_sentence_too() -> None:
    fault = verdict("forecast==0.9.2", "", folder="/state")

    assert str(fault) == 'package "forecast==0.9.2": it cannot be installed: no word of why'
