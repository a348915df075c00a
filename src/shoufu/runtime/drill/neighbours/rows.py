"""Rows of every model for one compound, made from the models' fields where no app says better."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import Error, connection, models, transaction
from django.utils import timezone

from shoufu.kernel.base import registry
from shoufu.kernel.base.neighbours import Neighbours
from shoufu.kernel.places.models import Place
from shoufu.runtime.errors import Problem

IDS = 1_000_000
"""Ids of an estate: this many from its first one on."""
LATER = ("until", "expire", "end", "due", "valid_to", "keep", "by")
EARLIER = ("since", "from", "start", "begin")
UNSEEDED = ("audit",)


@cache
def own_apps() -> list[Any]:
    """The kernel's, the pages' and the scenes' Django apps."""
    names = {*registry.kernel_apps(), *registry.scene_apps(), "shoufu.web"}
    return [config for config in apps.get_app_configs() if config.name in names]


def own_models() -> list[type[models.Model]]:
    """Every table of ours that Django manages and that is there."""
    found = [model for config in own_apps() for model in config.get_models()]
    tables = _tables(str(connection.settings_dict["NAME"]))
    return [m for m in found if m._meta.managed and not m._meta.proxy and m._meta.db_table in tables]


@cache
def _tables(database: str) -> frozenset[str]:
    return frozenset(connection.introspection.table_names())


@cache
def declared() -> dict[str, Neighbours]:
    """What the apps declare, by app label."""
    found = {}
    for config in own_apps():
        if find_spec(f"{config.name}.drill"):
            found[config.label] = import_module(f"{config.name}.drill").neighbours
    return found


@dataclass
class Estate:
    """A compound with rows of every model; its ids lie in a range of their own, its texts begin with `secret`.

    `bait` is the beginning of the secret, to search by: an answer that repeats the question tells nothing.
    """

    name: str
    first_id: int
    bait: str
    secret: str
    place: Place
    rows: dict[type[models.Model], list[Any]] = field(default_factory=dict)
    unseeded: list[str] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _making: list[type[models.Model]] = field(default_factory=list)
    _seeded: set[str] = field(default_factory=set)
    _before: dict[type[models.Model], set[Any]] = field(default_factory=dict)

    def mark(self) -> str:
        """A new text that holds the estate's mark."""
        return f"{self.secret}{next(self._numbers)}"

    def row(self, model: Any) -> Any:
        """A row of the model in this estate, made if there is none yet."""
        model = apps.get_model(model) if isinstance(model, str) else model
        if model is Place:
            return self.place
        if _shared(model):
            return model._default_manager.order_by("pk").first() or self.make(model)
        if not self.found(model):
            self._seed(model._meta.app_label)
        return (self.found(model) or [self.make(model)])[-1]

    def found(self, model: type[models.Model]) -> list[Any]:
        """The rows of the model that were made for this estate."""
        if model not in self._before:
            return []
        rows = model._default_manager.exclude(pk__in=self._before[model])
        self.rows[model] = list(rows.order_by("pk"))
        return self.rows[model]

    def fill(self) -> None:
        """Make what the apps seed, then a row of every model that is still empty."""
        for model in own_models():
            self._before[model] = set(model._default_manager.values_list("pk", flat=True))
        for label in declared():
            self._seed(label)
        for model in own_models():
            if model._meta.app_label not in UNSEEDED and not _shared(model):
                self._tried(model)
        for model in own_models():
            self.found(model)

    def _tried(self, model: type[models.Model]) -> None:
        try:
            self.row(model)
        except Problem as problem:
            self.unseeded.append(str(problem))

    def _seed(self, label: str) -> None:
        if label in self._seeded:
            return
        self._seeded.add(label)
        hook = declared().get(label)
        if hook is not None and hook.seed is not None:
            hook.seed(self)

    def make(self, model: type[models.Model], **given: Any) -> Any:
        """A new row of the model with this estate's marks. Problem where its fields do not say how."""
        if model in self._making:
            raise Problem(
                f"The drill cannot make a row of {model._meta.label}: it needs itself; seed it in its drill.py."
            )
        self._making.append(model)
        try:
            return self._insert(model, given)
        finally:
            self._making.pop()

    def _insert(self, model: type[models.Model], given: dict[str, Any]) -> Any:
        """A row with all fields filled; where they exclude each other, with none or one of the empty ones."""
        fields = [one for one in model._meta.concrete_fields if _wanted(one, given)]
        needed, spare = [one for one in fields if not one.null], [one for one in fields if one.null]
        reason = ""
        for chosen in (fields, needed, *([*needed, one] for one in spare)):
            try:
                with transaction.atomic():
                    row = model(**self._values(chosen) | given)
                    row.save(force_insert=True)
                return row
            except (Error, ValueError, TypeError) as error:
                reason = str(error).strip().splitlines()[0]
        where = f"{model._meta.app_config.name}.drill"
        raise Problem(f"The drill cannot make a row of {model._meta.label} ({reason}); seed it in {where}.")

    def _values(self, chosen: list[Any]) -> dict[str, Any]:
        """A value a field; two references to one model get two rows (who gives and who receives differ)."""
        values: dict[str, Any] = {}
        for one in chosen:
            value = self._value(one)
            if isinstance(one, models.ForeignKey) and value is not None and not isinstance(value, Place):
                value = self.make(one.related_model) if any(value == other for other in values.values()) else value
            values[one.name] = value
        return values

    def _value(self, one: Any) -> Any:
        if isinstance(one, models.ForeignKey):
            return self._target(one)
        hook = declared().get(one.model._meta.app_label)
        if hook is not None and (name := f"{one.model.__name__}.{one.name}") in hook.texts:
            return hook.texts[name]
        if one.choices:
            return one.get_default() if one.has_default() else one.choices[0][0]
        return _moment(one) or self._plain(one)

    def _target(self, one: Any) -> Any:
        if one.null and one.related_model in self._making:
            return None
        row = self.row(one.related_model)
        if isinstance(one, models.OneToOneField) and one.model._default_manager.filter(**{one.name: row}).exists():
            return self.make(one.related_model)
        return row

    def _plain(self, one: Any) -> Any:
        match one:
            case models.URLField():
                return f"https://{self.mark()}.example/"
            case models.EmailField():
                return f"{self.mark()}@example.org"
            case models.CharField() | models.TextField():
                text = self.mark()
                return text[-one.max_length :] if one.max_length and len(text) > one.max_length else text
            case models.DurationField():
                return timedelta(hours=1)
            case models.BooleanField():
                return False
            case models.IntegerField():
                return next(self._numbers) % 30_000 if one.unique else 1
            case models.FloatField() | models.DecimalField():
                return 1
            case models.UUIDField():
                return uuid.uuid4()
            case models.BinaryField():
                return hashlib.sha256(self.mark().encode()).digest()[: one.max_length]
            case models.JSONField():
                return {"text": self.mark()}
            case ArrayField():
                return []
        raise ValueError(f"field {one.name}: nothing known about {type(one).__name__}")


def _shared(model: type[models.Model]) -> bool:
    hook = declared().get(model._meta.app_label)
    return hook is not None and model.__name__ in hook.shared


def _wanted(one: Any, given: dict[str, Any]) -> bool:
    """Whether the drill fills a field: all texts and all that must be, and every reference that may be."""
    if one.name in given or isinstance(one, (models.AutoField, models.GeneratedField)):
        return False
    if one.null:
        return isinstance(one, models.ForeignKey)
    return not one.has_default() or (isinstance(one, (models.CharField, models.TextField)) and not one.choices)


def _moment(one: Any) -> Any:
    """A time that keeps the row in force: what begins has begun, what ends is still to come."""
    if not isinstance(one, (models.DateField, models.TimeField)):
        return None
    words = one.name.split("_")
    step = timedelta(days=30) if any(word in LATER for word in words) else timedelta()
    step = -timedelta(days=1) if any(word in EARLIER for word in words) else step
    now = timezone.now() + step
    if isinstance(one, models.DateTimeField):
        return now
    return timezone.localtime(now).date() if isinstance(one, models.DateField) else now.time()


def start_ids(first: int) -> None:
    """Let every table's ids go on from here, so that an id says whose it is."""
    with connection.cursor() as cursor:
        for model in own_models():
            column = model._meta.pk.column
            if isinstance(model._meta.pk, models.SmallAutoField) or not isinstance(model._meta.pk, models.AutoField):
                continue
            cursor.execute("select pg_get_serial_sequence(%s, %s)", [f'"{model._meta.db_table}"', column])
            sequence = cursor.fetchone()[0]
            if sequence:
                cursor.execute("select setval(%s, %s, false)", [sequence, first])
