from __future__ import annotations

import pytest
from django.apps import apps
from django.test import Client

from shoufu.kernel.devices.models import Device
from shoufu.kernel.places.models import Place
from shoufu.runtime.demo import cabinet, loader

pytestmark = pytest.mark.django_db


def rows() -> dict[str, int]:
    """How many rows each table of ours has; sign-ins and queue entries are none of the district."""
    ours = [model for model in apps.get_models() if model.__module__.startswith("shoufu.") and model._meta.managed]
    return {model.__name__: model.objects.count() for model in ours}


def test_loading_twice_changes_nothing() -> None:
    loader.load()
    first = rows()
    secrets = {login.code: login.secret for login in cabinet.logins("1/1")}
    loader.load()
    assert rows() == first
    assert {login.code: login.secret for login in cabinet.logins("1/1")} == secrets
    assert Place.objects.filter(kind="compound").count() >= 5
    assert Device.objects.filter(kind="camera").count() >= 2


def test_cabinets_share_the_doors_without_overlap() -> None:
    loader.load()
    first = {login.code for login in cabinet.logins("1/2")}
    second = {login.code for login in cabinet.logins("2/2")}
    assert first and second and not first & second
    assert first | second == {login.code for login in cabinet.logins("1/1")}


def test_sign_in_links_work_in_the_demo_only(settings: object, client: Client) -> None:
    loader.load()
    link = next(link for link in loader.read_links() if link["role"] == "operator")
    settings.DEMO = False  # type: ignore[attr-defined]
    assert client.get(link["path"]).status_code == 404
    settings.DEMO = True  # type: ignore[attr-defined]
    assert client.get(link["path"]).status_code == 302
    assert client.session["_auth_user_id"]
