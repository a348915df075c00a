"""What to send to an endpoint: the neighbour's ids in its address, its query and its body."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import models
from django.utils import timezone

from shoufu.kernel.base.neighbours import Neighbours
from shoufu.runtime.drill.neighbours.endpoints import Endpoint, Parameter
from shoufu.runtime.drill.neighbours.rows import Estate, own_models

MOST_ADDRESSES = 6
ALIASES = {
    "media": "media.mediaobject",
    "endpoint": "notices.endpoint",
    "user": "access.user",
    "receiver": "access.user",
    "into": "cases.case",
    "token": "access.apitoken",
}
KNOWN = {"format": ("csv",), "page": ("1",), "size": ("50",), "version": ("1",), "limit": ("50",), "offset": ("0",)}


@dataclass(frozen=True)
class Try:
    """One request."""

    method: str
    address: str
    form: Any = None
    body: Any = None
    variant: bool = False
    """A further question to an address that was tried without it."""

    @property
    def sent(self) -> str:
        """All that the request says, to tell an answer that repeats it from one that gives something away."""
        return f"{self.address} {json.dumps(self.form, default=str)} {json.dumps(self.body, default=str)}"


@dataclass
class Tries:
    """Makes requests about the rows of `theirs` for somebody who belongs to `own`."""

    own: Estate
    theirs: Estate
    declared: dict[str, Neighbours] = field(default_factory=dict)

    def of(self, endpoint: Endpoint) -> list[Try]:
        """The requests for an endpoint; none where nothing is known to stand for a part of its address."""
        addresses = self._addresses(endpoint, self.theirs)
        if not addresses:
            return []
        if endpoint.method in ("GET", "HEAD"):
            return list(self._reads(endpoint, addresses))
        return list(self._writes(endpoint, addresses))

    def at_home(self, endpoint: Endpoint) -> Try | None:
        """The same address about one's own; None where there is none."""
        needed = {name: self._json(endpoint, name, schema, self.own) for name, schema in endpoint.needed}
        found = self._addresses(endpoint, self.own)
        return Try(endpoint.method, _with(found[0], needed)) if found else None

    def _addresses(self, endpoint: Endpoint, estate: Estate) -> list[str]:
        choices = [self._parts(endpoint.app, one, estate) for one in endpoint.parameters]
        sets = itertools.islice(itertools.product(*choices), MOST_ADDRESSES)
        names = [one.name for one in endpoint.parameters]
        return [endpoint.address(dict(zip(names, values, strict=True))) for values in sets]

    def _parts(self, app: str, one: Parameter, estate: Estate) -> list[str]:
        """What may stand in an address for a parameter: said by the app, an id by its name, any id of the app."""
        said = self._said(app, one.name)
        if said:
            return list(said)
        found = self._ids(app, one.name, estate) or self._texts(app, one.name, estate)
        if not found and one.converter in ("int", "uuid"):
            found = [str(row.pk) for model in _models(app) for row in estate.rows.get(model, [])[-1:]]
        return [value for value in found if _fits(one.converter, value)]

    def _said(self, app: str, name: str) -> Sequence[str]:
        hook = self.declared.get(app)
        return hook.values.get(name, ()) if hook else ()

    def _ids(self, app: str, name: str, estate: Estate) -> list[str]:
        word = name.removesuffix("_ids").removesuffix("_id").replace("_", "")
        if word in ("place", "compound", "scope"):
            return [str(estate.place.pk)]
        names = {word, ALIASES.get(word, word)}
        exact = [one for one in own_models() if {one._meta.model_name, one._meta.label_lower} & names]
        near = [model for model in _models(app) if str(model._meta.model_name).endswith(word) and len(word) > 3]
        own = set(_models(app))
        first = [model for model in exact if model._meta.app_label.endswith(app) or model in own]
        for model in [*first, *exact, *near]:
            if rows := estate.rows.get(model):
                return [str(rows[-1].pk)]
        return []

    def _texts(self, app: str, name: str, estate: Estate) -> list[str]:
        for model in _models(app):
            if name in {one.name for one in model._meta.concrete_fields}:
                found = [str(getattr(row, name)) for row in estate.rows.get(model, [])[-2:] if getattr(row, name)]
                if found:
                    return found
        return []

    def _reads(self, endpoint: Endpoint, addresses: list[str]) -> Iterator[Try]:
        needed = {name: self._json(endpoint, name, schema, self.theirs) for name, schema in endpoint.needed}
        for address in addresses:
            yield Try(endpoint.method, _with(address, needed))
        for name in endpoint.query:
            for value in self._value(endpoint.app, name):
                yield Try(endpoint.method, _with(addresses[0], needed | {name: value}), variant=True)

    def _value(self, app: str, name: str, estate: Estate | None = None) -> list[str]:
        """What to ask or post under a name: what is known, an id, else the part of the mark that people search by."""
        estate = estate or self.theirs
        if name in ("at", "known", "before", "until"):
            return [(timezone.now() + timedelta(minutes=1)).isoformat()]
        if name == "receiver":
            return [f"user:{self._ids(app, name, estate)[0]}"]
        if name == "ids":
            return [str(row.pk) for model in _models(app) for row in estate.rows.get(model, [])[-1:]][:4]
        return list(self._said(app, name) or KNOWN.get(name) or self._ids(app, name, estate) or [estate.bait])

    def _writes(self, endpoint: Endpoint, addresses: list[str]) -> Iterator[Try]:
        own = self._addresses(endpoint, self.own)[:1]
        if endpoint.body is None:
            for address in addresses:
                yield Try(endpoint.method, address, form=self._form(endpoint, self.theirs))
            if endpoint.form:
                yield Try(endpoint.method, (own or addresses)[0], form=self._form(endpoint, self.own))
            return
        for whole in (True, False):
            for address in addresses:
                yield Try(endpoint.method, address, body=self._json(endpoint, "", endpoint.body, self.theirs, whole))
            for address in own:
                yield Try(endpoint.method, address, body=self._json(endpoint, "", endpoint.body, self.own, whole))

    def _form(self, endpoint: Endpoint, places: Estate) -> dict[str, Any]:
        """A posted form: the neighbour's ids, in the place of `places`."""
        form: dict[str, Any] = {}
        for name in endpoint.form:
            found = self._value(endpoint.app, name, places if name in ("place", "place_id") else self.theirs)
            form[name] = found if name == "ids" else found[0]
        return form

    def _json(self, endpoint: Endpoint, name: str, schema: Any, places: Estate, whole: bool = True) -> Any:
        """A value by its JSON Schema: ids of the neighbour, places of `places`; `whole`: what may be left out too."""
        if "$ref" in schema:
            schema = endpoint.schemas[schema["$ref"].rpartition("/")[2]]
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                first = next(one for one in schema[choice] if one.get("type") != "null")
                return self._json(endpoint, name, first, places, whole)
        if "enum" in schema or "const" in schema:
            return schema["const"] if "const" in schema else schema["enum"][0]
        if schema.get("type") == "array":
            return [self._json(endpoint, name, schema.get("items", {}), places, whole)]
        if schema.get("type") == "object":
            wanted = schema.get("properties", {})
            return {
                key: self._json(endpoint, key, value, places, whole)
                for key, value in wanted.items()
                if whole or key in schema.get("required", ())
            }
        return self._scalar(endpoint, name, schema, places)

    def _scalar(self, endpoint: Endpoint, name: str, schema: Any, places: Estate) -> Any:
        estate = places if name in ("place", "place_id") else self.theirs
        kind, form = schema.get("type"), schema.get("format", "")
        found = self._said(endpoint.app, name) or self._ids(endpoint.app, name, estate)
        if kind == "boolean":
            return True
        if kind in ("integer", "number"):
            return int(found[0]) if found and found[0].isdigit() else max(1, int(schema.get("minimum", 1)))
        if form == "uuid":
            return found[0] if found else str(uuid.uuid4())
        if form in ("date-time", "date", "time"):
            moment = timezone.now() + (timedelta(days=1) if name in ("until", "expires_at") else timedelta())
            return {"date-time": moment.isoformat(), "date": str(moment.date()), "time": "12:00"}[form]
        if kind == "string" or kind is None:
            spare = "guard" if name == "role" else self.theirs.bait
            return (found[0] if found else spare)[: schema.get("maxLength", 200)]
        return None


def _with(address: str, query: dict[str, Any]) -> str:
    return f"{address}?{urlencode(query, doseq=True)}" if query else address


def _models(app: str) -> list[type[models.Model]]:
    """The models of an app, or of all parts of a scene."""
    return [model for model in own_models() if f"{model._meta.app_label}_".startswith(f"{app}_")]


def _fits(converter: str, value: str) -> bool:
    if converter == "int":
        return value.isdigit()
    if converter == "uuid":
        try:
            uuid.UUID(value)
        except ValueError:
            return False
    return "/" not in value or converter == "path"
