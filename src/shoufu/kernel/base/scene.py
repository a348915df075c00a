from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID


@dataclass(frozen=True)
class Kind:
    """An observation kind: its code, names, and the JSON Schema (draft 2020-12) of its `result`.

    `personal` says whether the result can point at a person; then `purpose` must say why it is kept.
    `state` names a property of the result that is the device's state from then on (kept for the time machine).
    `permission` is a right that it takes to see such observations, besides `observations.view`; they are not pushed to
    live screens.
    """

    code: str
    name: str
    name_en: str
    schema: Mapping[str, Any]
    personal: bool = False
    purpose: str = ""
    retention_days: int = 90
    state: str = ""
    permission: str = ""


@dataclass(frozen=True)
class CaseKind:
    """A kind of case: names, icon (Tabler icon name), and the time limits in minutes of each severity.

    `permission` is a right that it takes to see such cases, besides `cases.view`; they are not pushed to live screens.
    """

    code: str
    name: str
    name_en: str
    icon: str = "alert-triangle"
    acknowledge_minutes: Mapping[str, int] = field(
        default_factory=lambda: {"critical": 2, "high": 5, "medium": 30, "low": 240}
    )
    resolve_minutes: Mapping[str, int] = field(
        default_factory=lambda: {"critical": 30, "high": 120, "medium": 1440, "low": 4320}
    )
    role: str = "guard"
    escalate_to: tuple[str, ...] = ("property_manager", "operator")
    permission: str = ""


@dataclass(frozen=True)
class RuleTemplate:
    """A rule that a place can switch on: `spec` is a rule document (see kernel/rules/spec.py)."""

    code: str
    name: str
    name_en: str
    spec: Mapping[str, Any]
    sentence: str = ""
    sentence_en: str = ""


@dataclass(frozen=True)
class Role:
    """A named set of permissions ("cases.view", …); it counts only inside the place subtree where it is given."""

    code: str
    name: str
    name_en: str
    permissions: frozenset[str]


@dataclass(frozen=True)
class MenuItem:
    """An entry of the rail: `url` is a Django URL name; shown to whoever has `permission` anywhere."""

    name: str
    name_en: str
    icon: str
    url: str
    permission: str


@dataclass(frozen=True)
class Figure:
    """A figure for the overview: `read(actor, place_path)` returns a number; `url` leads to the list behind it.

    `unit` and `unit_en` follow the number where its name does not say what is counted.
    """

    code: str
    name: str
    name_en: str
    read: Callable[[Any, str], float]
    unit: str = ""
    url: str = ""
    unit_en: str = ""


@dataclass(frozen=True)
class Derived:
    """An observation that a scene derives from another (`source` is its id); it takes its time, device and place."""

    source: UUID
    kind: str
    result: Mapping[str, Any]
    feature: str | None = None


@dataclass(frozen=True)
class Derivation:
    """A function that makes observations of observations, so that rules can read what the register knows.

    `function` is the dotted path of a function that takes rows of these kinds and returns `Derived` ones.
    What it returns is logged: replaying the log does not ask it again.
    """

    kinds: tuple[str, ...]
    function: str


@dataclass(frozen=True)
class ActName:
    """What an audited act of the scene is called for whom it concerns, as under “who looked at my data”."""

    code: str
    name: str
    name_en: str


@dataclass(frozen=True)
class NoticeWords:
    """What a notice of the scene says until somebody writes other words; its data fill the {placeholders}."""

    code: str
    subject: str
    body: str
    subject_en: str
    body_en: str


@dataclass(frozen=True)
class Part:
    """What one part of a scene declares: a sub-package `<scene>/<part>/` of the same shape as a kernel app.

    Its `scene.py` holds `part = Part(…)`; with an `apps.py` it is a Django app with models of its own.
    A role of a code that the kernel or another part has already adds its permissions to that role.
    """

    menu: Sequence[MenuItem] = ()
    kinds: Sequence[Kind] = ()
    case_kinds: Sequence[CaseKind] = ()
    rule_templates: Sequence[RuleTemplate] = ()
    roles: Sequence[Role] = ()
    figures: Sequence[Figure] = ()
    derivations: Sequence[Derivation] = ()
    acts: Sequence[ActName] = ()
    notices: Sequence[NoticeWords] = ()


@dataclass(frozen=True)
class Scene:
    """All that a scene declares. Dropping a folder with a `scene.py` that holds `scene = Scene(…)` installs it.

    `group` is "governance", "livelihood", "life" or "industry". `api` and `urls` are dotted paths
    ("package.api.router", "package.urls"), so that declaring a scene imports neither models nor views.
    What its `parts` declare counts as the scene's own.
    `demo` is the dotted path of a function `(actor) -> None` that loads its part of the demo district.
    """

    code: str
    name: str
    name_en: str
    group: str
    menu: Sequence[MenuItem] = ()
    kinds: Sequence[Kind] = ()
    case_kinds: Sequence[CaseKind] = ()
    rule_templates: Sequence[RuleTemplate] = ()
    roles: Sequence[Role] = ()
    figures: Sequence[Figure] = ()
    derivations: Sequence[Derivation] = ()
    acts: Sequence[ActName] = ()
    notices: Sequence[NoticeWords] = ()
    api: str = ""
    urls: str = ""
    demo: str = ""
    parts: Sequence[Part] = ()

    def __post_init__(self) -> None:
        for name in Part.__dataclass_fields__:
            gathered = [*getattr(self, name), *(item for part in self.parts for item in getattr(part, name))]
            object.__setattr__(self, name, tuple(gathered))
