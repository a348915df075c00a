import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.urls import path

from shoufu.runtime.drill.neighbours import endpoints as catalogue
from shoufu.runtime.drill.neighbours import run
from shoufu.runtime.drill.neighbours.endpoints import Endpoint, Parameter
from shoufu.runtime.drill.neighbours.rows import start_ids

pytestmark = pytest.mark.django_db
CASE = (Parameter("case_id", "int"),)


@pytest.fixture(autouse=True)
def _ids_for_other_tests(db: None) -> Iterator[None]:
    """Sequences do not roll back."""
    yield
    start_ids(1_000_000)


def _title(request: HttpRequest, case_id: int) -> HttpResponse:
    from shoufu.kernel.cases.models import Case

    return HttpResponse(Case.objects.get(pk=case_id).title)  # asks nobody whether they may see it


def _rename(request: HttpRequest, case_id: int) -> HttpResponse:
    from shoufu.kernel.cases.models import Case

    Case.objects.filter(pk=case_id).update(outcome="renamed")
    return HttpResponse(status=404)


@pytest.fixture
def leaky(settings: Any) -> tuple[Endpoint, Endpoint]:
    """Two views that forget to limit: one shows, one changes, though it says "not found"."""
    from shoufu.web import urls

    module = ModuleType("leaky_urls")
    module.urlpatterns = [  # type: ignore[attr-defined]
        path("leaky/<int:case_id>", _title),
        path("leaky/<int:case_id>/rename", _rename),
        *urls.urlpatterns,
    ]
    sys.modules["leaky_urls"] = module
    settings.ROOT_URLCONF = "leaky_urls"
    return (
        Endpoint("GET", "/leaky/<int:case_id>", "cases", CASE),
        Endpoint("POST", "/leaky/<int:case_id>/rename", "cases", CASE),
    )


def test_planted_leaks_are_found(leaky: tuple[Endpoint, Endpoint]) -> None:
    figures = run(["guard"], leaky)
    assert {leak.endpoint for leak in figures.leaks} == {endpoint.name for endpoint in leaky}
    assert any("UPDATE cases_case" in leak.what for leak in figures.leaks)


def test_an_endpoint_without_a_row_is_said(db: None) -> None:
    figures = run(["guard"], [Endpoint("GET", "/nothing/<str:mystery>", "web", (Parameter("mystery", "str"),))])
    assert figures.blind == ["GET /nothing/<str:mystery>"]


def test_cases_people_and_pictures_stay_with_their_compound(db: None) -> None:
    apps = ("cases", "parties", "media", "access")
    found = [endpoint for endpoint in catalogue.everything() if endpoint.app in apps]
    assert len(found) > 60
    figures = run(["administrator", "anonymous"], found)
    assert figures.leaks == []
    assert figures.seen > 10  # their own people do see it: the drill is not blind


def test_a_selector_that_forgets_its_limit_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    from shoufu.kernel.cases import selectors
    from shoufu.kernel.cases.models import Case

    monkeypatch.setattr(selectors, "visible", lambda _actor: Case.objects.all())
    found = [endpoint for endpoint in catalogue.everything() if endpoint.app == "cases" and endpoint.method == "GET"]
    figures = run(["guard"], found)
    assert any("case_id" in leak.endpoint for leak in figures.leaks)
    assert {leak.role for leak in figures.leaks} == {"guard"}
