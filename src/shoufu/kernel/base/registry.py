import importlib
import os
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TypeVar

from shoufu.kernel.base.scene import ActName, CaseKind, Kind, NoticeWords, Role, RuleTemplate, Scene

T = TypeVar("T")


@dataclass(frozen=True)
class Installed:
    """A scene and the Python package that holds it."""

    scene: Scene
    package: str


def _packages() -> Iterator[str]:
    """Scene packages: folders below `shoufu.scenes`, `shoufu.scenes` entry points, and SHOUFU_SCENE_PACKAGES."""
    home = importlib.import_module("shoufu.scenes")
    for module in sorted(pkgutil.iter_modules(home.__path__), key=lambda found: found.name):
        if module.ispkg:
            yield f"{home.__name__}.{module.name}"
    for point in sorted(entry_points(group="shoufu.scenes"), key=lambda found: found.name):
        yield point.value.partition(":")[0]
    yield from (name.strip() for name in os.environ.get("SHOUFU_SCENE_PACKAGES", "").split(",") if name.strip())


@cache
def installed() -> tuple[Installed, ...]:
    """Every scene found, in a fixed order. A package without `scene.py`, or a code taken already, is an error."""
    found: dict[str, Installed] = {}
    for package in dict.fromkeys(_packages()):
        scene = importlib.import_module(f"{package}.scene").scene
        if not isinstance(scene, Scene):
            raise TypeError(f"{package}.scene: `scene` must be a shoufu.kernel.base.scene.Scene")
        if scene.code in found:
            raise ValueError(f"{package}.scene: the code {scene.code!r} is taken by {found[scene.code].package}")
        found[scene.code] = Installed(scene, package)
    return tuple(found.values())


def kernel_apps() -> tuple[str, ...]:
    """The kernel's Django apps: every folder of `shoufu.kernel` with an `apps.py`."""
    return _apps_below("shoufu.kernel")


def scene_apps() -> tuple[str, ...]:
    """The scenes' Django apps: each scene's own package, then its parts that have an `apps.py`."""
    return tuple(name for entry in installed() for name in (entry.package, *_apps_below(entry.package)))


def _apps_below(package: str) -> tuple[str, ...]:
    home = importlib.import_module(package)
    folders = sorted(found.name for found in pkgutil.iter_modules(home.__path__) if found.ispkg)
    return tuple(f"{package}.{name}" for name in folders if find_spec(f"{package}.{name}.apps"))


def scenes() -> tuple[Scene, ...]:
    return tuple(entry.scene for entry in installed())


def _by_code(items: Iterator[T]) -> dict[str, T]:
    result: dict[str, T] = {}
    for item in items:
        code = item.code  # type: ignore[attr-defined]
        if code in result:
            raise ValueError(f"{type(item).__name__} {code!r} is declared twice; give one of them another code")
        result[code] = item
    return result


@cache
def kinds() -> dict[str, Kind]:
    """Observation kinds of the kernel and of every scene, by code."""
    from shoufu.kernel.observations.kinds import KERNEL_KINDS

    return _by_code(kind for group in (KERNEL_KINDS, *(scene.kinds for scene in scenes())) for kind in group)


@cache
def case_kinds() -> dict[str, CaseKind]:
    from shoufu.kernel.cases.kinds import KERNEL_CASE_KINDS

    return _by_code(kind for group in (KERNEL_CASE_KINDS, *(scene.case_kinds for scene in scenes())) for kind in group)


@cache
def rule_templates() -> dict[str, RuleTemplate]:
    return _by_code(template for scene in scenes() for template in scene.rule_templates)


@cache
def act_names() -> dict[str, ActName]:
    """What the scenes' audited acts are called, by code."""
    return _by_code(name for scene in scenes() for name in scene.acts)


@cache
def notice_words() -> dict[str, NoticeWords]:
    """What the scenes' notices say, by code."""
    return _by_code(words for scene in scenes() for words in scene.notices)


@cache
def roles() -> dict[str, Role]:
    """Roles by code; a scene that declares a role that exists adds its permissions to it."""
    from shoufu.kernel.access.roles import KERNEL_ROLES

    found: dict[str, Role] = {}
    for role in (role for group in (KERNEL_ROLES, *(scene.roles for scene in scenes())) for role in group):
        known = found.get(role.code, role)
        found[role.code] = replace(known, permissions=known.permissions | role.permissions)
    if "administrator" in found:
        # Nobody gives a right that they lack: who gives out roles has what a scene adds to any of them.
        added = {right for role in found.values() for right in role.permissions if not right.startswith("own.")}
        known = found["administrator"]
        found["administrator"] = replace(known, permissions=known.permissions | added)
    return found


def clear() -> None:
    """Forget what was found; for tests that install a scene while running."""
    for function in (installed, kinds, case_kinds, rule_templates, act_names, notice_words, roles):
        function.cache_clear()
