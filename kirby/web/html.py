"""To write HTML of which every text is escaped, and seen: only `Html` is taken as it is."""

from collections.abc import Iterable
from html import escape
from typing import TypeAlias, Union

from kirby.core.visible import visible

VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


Child: TypeAlias = Union[str, int, float, Iterable["Child"], None]  # noqa: UP007 - names itself


def e(tag: str, /, *children: Child, **attributes: str | int | float | bool | None) -> Html:
    """Write an element.

    Args:
        tag: of the element.
        children: texts (escaped), elements, or lists of both; None is nothing.
        attributes: `class_` is class, `data_run` is data-run; True is an attribute without a
            value, None and False are none at all.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if tag in VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{join(children)}</{tag}>")


def join(children: Iterable[Child]) -> Html:
    """Write children one after the other."""
    return Html("".join(_child(each) for each in children))


def _child(child: Child) -> str:
    match child:
        case None:
            return ""
        case Html():
            return child
        case str():
            return escape(visible(child))
        case int() | float():
            return str(child)
        case _:
            return join(child)


def _attribute(key: str, value: str | int | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(visible(str(value)))}"'
