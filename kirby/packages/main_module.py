"""What `python -m` can run of a distribution, found without running any of it."""

from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, MetadataPathFinder
from pathlib import Path
from sys import stdlib_module_names

from kirby.core.errors import NoMainModule
from kirby.core.requirement import Requirement

_NO_MODULE = frozenset({"__pycache__", "bin", "include", "share"})


def main_module(requirement: Requirement, site_packages: Path) -> str:
    """Return the name of the module that is the script.

    It is the one that bears the distribution's name (with "_" for "-"), else the only other one
    of the distribution that can be run.

    Raises:
        NoMainModule: there is none, or more than one.
    """
    named = requirement.name.replace("-", "_")
    owned = _top_level(requirement, site_packages)
    # A package may spell its name with capitals, which an index does not tell apart.
    candidates = sorted(owned, key=lambda module: (module.lower() != named, module))
    runnable = [module for module in candidates if _can_be_run(module, site_packages)]
    if runnable and (runnable[0].lower() == named or len(runnable) == 1):
        return _not_hidden(requirement, runnable[0])
    raise NoMainModule(str(requirement), _fault(named, owned, runnable))


def _fault(named: str, owned: list[str], runnable: list[str]) -> str:
    if runnable:
        return (
            f"several of its modules can be run ({', '.join(runnable)}) and none is "
            f"called {named}: leave one"
        )
    where = named if named in owned or not owned else owned[0]
    return f"it has no __main__, so 'python -m {where}' cannot run: add {where}/__main__.py"


def _not_hidden(requirement: Requirement, module: str) -> str:
    if module in stdlib_module_names:
        raise NoMainModule(
            str(requirement),
            f"its module {module} is hidden by the one of Python's own library: rename it",
        )
    return module


def _top_level(requirement: Requirement, site_packages: Path) -> list[str]:
    """Return the modules at the top of a distribution, by its RECORD."""
    found: set[str] = set()
    for installed in _distributions(requirement, site_packages):
        for file in installed.files or ():
            top = file.parts[0]
            name = top if len(file.parts) > 1 else top.partition(".")[0]
            inside = top not in _NO_MODULE and ".." not in file.parts
            if inside and name.isidentifier() and file.suffix in (".py", ".so", ".pyc"):
                found.add(name)
    return sorted(found)


def _distributions(requirement: Requirement, site_packages: Path) -> list[Distribution]:
    context = MetadataPathFinder.Context(name=requirement.name, path=[str(site_packages)])
    return list(MetadataPathFinder.find_distributions(context))


def _can_be_run(module: str, site_packages: Path) -> bool:
    spec = _spec(module, [str(site_packages)])
    if spec is None:
        return False
    if spec.submodule_search_locations is None:
        return spec.has_location
    inside = _spec(f"{module}.__main__", list(spec.submodule_search_locations))
    return inside is not None and inside.has_location


def _spec(module: str, path: list[str]) -> ModuleSpec | None:
    return PathFinder.find_spec(module, path)
