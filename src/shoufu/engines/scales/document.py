import json
from typing import Any

from shoufu.engines.scales.model import Band, Group, Item, Option, Scale


class BadScale(ValueError):
    """A document that is no scale: says what is wrong with which part."""


def load(text: str) -> Scale:
    """A scale from its JSON document; BadScale where a part is missing, said twice or points at nothing.

    `answers` gives options that several items share; an item that has none of its own takes them.
    """
    try:
        read: dict[str, Any] = json.loads(text)
        shared = _options(read.get("answers", ()))
        items = tuple(_item(one, shared) for one in read["items"])
        bands = tuple(Band(b["lowest"], b["code"], b["text"], b["text_en"]) for b in read.get("bands", ()))
        groups = tuple(_group(one) for one in read.get("groups", ()))
        found = Scale(
            read["code"], read["version"], read["name"], read["name_en"], read["citation"], items, bands, groups
        )
    except json.JSONDecodeError as error:
        raise BadScale(f"not JSON: {error}") from error
    except (KeyError, TypeError) as error:
        raise BadScale(f"a part is missing: {error}") from error
    _check(found)
    return found


def _options(listed: Any) -> tuple[Option, ...]:
    return tuple(Option(one["points"], one["text"], one["text_en"]) for one in listed)


def _item(read: dict[str, Any], shared: tuple[Option, ...]) -> Item:
    options = _options(read.get("options", ())) or shared
    return Item(read["code"], read["text"], read["text_en"], options, read.get("only", ""))


def _group(read: dict[str, Any]) -> Group:
    return Group(read["code"], read["text"], read["text_en"], tuple(read["items"]), frozenset(read.get("reverse", ())))


def _check(scale: Scale) -> None:
    codes = [item.code for item in scale.items]
    if not codes:
        raise BadScale(f"{scale.code}: there are no items")
    if len(set(codes)) < len(codes):
        raise BadScale(f"{scale.code}: an item is there twice")
    for item in scale.items:
        if len(item.points) < 2 or len(item.points) < len(item.options):
            raise BadScale(f"{scale.code}: {item.code} needs two options or more, each with its own points")
    if bool(scale.bands) == bool(scale.groups):
        raise BadScale(f"{scale.code}: give bands or groups")
    lowest = [band.lowest for band in scale.bands]
    if scale.bands and (lowest != sorted(set(lowest)) or lowest[0] > sum(min(item.points) for item in scale.items)):
        raise BadScale(f"{scale.code}: bands go up, and the first begins at the least sum")
    for group in scale.groups:
        if not group.items or set(group.items) - set(codes) or group.reverse - set(group.items):
            raise BadScale(f"{scale.code}: {group.code} names items that are not there")
