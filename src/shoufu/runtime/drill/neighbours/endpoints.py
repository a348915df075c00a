"""Every address of the product: pages from the URL map, the interface from its own description."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from shoufu.kernel.base import registry
from shoufu.runtime.drill.neighbours.rows import own_apps

PARAMETER = re.compile(r"<(?:(?P<converter>\w+):)?(?P<name>\w+)>|\{(?P<plain>\w+)\}")
READ = re.compile(r"""GET(?:\.get|\.getlist)?[\[(]\s*["'](\w+)["']""")
POSTED = re.compile(r"""POST(?:\.get|\.getlist)?[\[(]\s*["'](\w+)["']""")
FILTER = re.compile(r"""\bFilter\(\s*["'](\w+)["']""")
COMMON = ("place", "format", "at")
"""Every page takes these."""


@dataclass(frozen=True)
class Parameter:
    """A part of an address that names something; `converter` is Django's (int, str, uuid, …)."""

    name: str
    converter: str


@dataclass(frozen=True)
class Endpoint:
    """One address with one method. `query` and `form` are names that it reads; `body` is the JSON Schema it takes."""

    method: str
    route: str
    app: str
    parameters: tuple[Parameter, ...]
    query: tuple[str, ...] = ()
    form: tuple[str, ...] = ()
    needed: tuple[tuple[str, Any], ...] = field(default=(), compare=False)
    body: Any = field(default=None, compare=False, hash=False)
    schemas: Any = field(default=None, compare=False, hash=False, repr=False)

    @property
    def name(self) -> str:
        return f"{self.method} {self.route}"

    def address(self, values: dict[str, str]) -> str:
        """The address with values in the places of its parameters."""
        return PARAMETER.sub(lambda found: values[found["name"] or found["plain"]], self.route)


def everything() -> list[Endpoint]:
    """Pages (read and posted) and the interface."""
    return [*pages(), *interface()]


def pages() -> Iterator[Endpoint]:
    """Every page of ours in the URL map, once to read and once to post to."""
    ours = {config.name: config.label for config in own_apps()}
    for route, view in _walk(get_resolver().url_patterns, "/"):
        view = inspect.unwrap(view)
        module = str(getattr(view, "__module__", ""))
        app = _owner(module, ours)
        if app is None or module.endswith(".api"):
            continue
        found = tuple(Parameter(one["name"], one["converter"] or "str") for one in PARAMETER.finditer(route))
        source = _source(module)
        query = tuple(dict.fromkeys([*COMMON, *READ.findall(source), *FILTER.findall(source)]))
        yield Endpoint("GET", route, app, found, query=query)
        yield Endpoint("POST", route, app, found, form=tuple(dict.fromkeys(POSTED.findall(source))))


def _owner(module: str, ours: dict[str, str]) -> str | None:
    """The label of the app that a view's module lies in; None for views of other people's packages."""
    names = [name for name in ours if module == name or module.startswith(f"{name}.")]
    if names:
        return ours[max(names, key=len)]
    packages = [entry.package for entry in registry.installed()]
    return next((package.rpartition(".")[2] for package in packages if module.startswith(f"{package}.")), None)


def _walk(patterns: list[Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for one in patterns:
        route = prefix + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _walk(one.url_patterns, route)
        elif isinstance(one, URLPattern):
            yield route, one.callback


def _source(module: str) -> str:
    """The source of a view's module and of the modules of the same folder that it imports from."""
    loaded = importlib.import_module(module)
    near = {
        value.__module__
        for value in vars(loaded).values()
        if inspect.isfunction(value) and value.__module__.rpartition(".")[0] == module.rpartition(".")[0]
    }
    return "\n".join(inspect.getsource(importlib.import_module(name)) for name in sorted({module, *near}))


def interface() -> Iterator[Endpoint]:
    """Every operation of the typed interface, from its OpenAPI description."""
    from shoufu.web.api import api

    described = api.get_openapi_schema()
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            yield _operation(path, method.upper(), operation, described)


def _operation(path: str, method: str, operation: Any, described: Any) -> Endpoint:
    given = operation.get("parameters", ())
    placed = tuple(
        Parameter(one["name"], "int" if one["schema"].get("type") == "integer" else one["schema"].get("format", "str"))
        for one in given
        if one["in"] == "path"
    )
    asked = [one for one in given if one["in"] == "query"]
    content = operation.get("requestBody", {}).get("content", {})
    body = content.get("application/json") or content.get("multipart/form-data") or {}
    return Endpoint(
        method,
        path,
        path.split("/")[2],
        placed,
        query=tuple(one["name"] for one in asked),
        needed=tuple((one["name"], one["schema"]) for one in asked if one.get("required")),
        body=body.get("schema"),
        schemas=described.get("components", {}).get("schemas", {}),
    )
