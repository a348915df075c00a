"""Many at once, many rows, and people who are erased."""

import threading
from typing import Any

import pytest
from django.db import connection

from shoufu.kernel.privacy import declarations
from shoufu.kernel.privacy.erasure import gather, tables
from shoufu.scenes.homecare.fhir import interactions
from shoufu.scenes.homecare.fhir.faults import Refused
from shoufu.scenes.homecare.fhir.interactions import Caller
from shoufu.scenes.homecare.fhir.models import Stored, StoredVersion

BASE = "http://testserver/homecare/fhir/R4"


def observation(reference: str, **more: Any) -> dict[str, Any]:
    head = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    return head | {"subject": {"reference": reference}} | more


@pytest.mark.django_db(transaction=True)
def test_of_many_conditional_creates_one_creates(care: Any) -> None:
    caller = Caller(care.act("gao"), BASE, "race")
    body = observation("Patient/x", identifier=[{"system": "urn:x", "value": "7"}])
    gate, found = threading.Barrier(8), []

    def ask() -> None:
        gate.wait()
        try:
            done = interactions.create(caller, "Observation", body, "identifier=urn:x|7")
            found.append((done.status, done.kept.id if done.kept else ""))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(status for status, _id in found) == [200] * 7 + [201]
    assert len({one for _status, one in found}) == 1 and Stored.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_updates_from_one_version_one_is_made(care: Any) -> None:
    caller = Caller(care.act("gao"), BASE, "race")
    kept = interactions.create(caller, "Observation", observation("Patient/x")).kept
    assert kept is not None
    gate, found = threading.Barrier(6), []

    def ask() -> None:
        gate.wait()
        try:
            interactions.update(caller, "Observation", kept.id, kept.content, "1")
            found.append(200)
        except Refused as refusal:
            found.append(refusal.status)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [200] + [412] * 5
    assert Stored.objects.get().version == 2 and StoredVersion.objects.count() == 1


def test_searches_cost_a_fixed_number_of_queries(care: Any, program: Any, django_assert_max_num_queries: Any) -> None:
    gao = program("gao")
    for n in range(20):
        assert gao.post("/Observation", observation(f"Patient/{n}")).status_code == 201
    for address, most in (
        ("/Observation", 26),
        ("/Patient?_revinclude=Condition:patient", 30),
        ("/Observation?code=x", 24),
    ):
        gao.get(address)
        with django_assert_max_num_queries(most):
            assert gao.get(address).status_code == 200


def test_what_is_about_somebody_is_in_their_copy_and_goes_with_them(care: Any, program: Any) -> None:
    gao = program("gao")
    kept = gao.post("/Observation", observation(f"Patient/patient-{care.mei.pk}")).content_read
    gao.send("PUT", f"/Observation/{kept['id']}", kept | {"status": "amended"})
    gao.post("/Observation", observation("Patient/somebody"))
    subject = gather(care.people["mei"])
    held = {one.model: one for one in declarations.holdings() if one.model.startswith("homecare_fhir.stored")}
    mine, shown = tables.rows_of(held["homecare_fhir.stored"], subject), held["homecare_fhir.stored"].export
    assert mine is not None and callable(shown) and "amended" in shown(mine.get())["resource"]
    for holding in held.values():
        rows = tables.rows_of(holding, subject)
        assert rows is not None and rows.count() == 1
        rows.delete()
    assert Stored.objects.get().person is None and not StoredVersion.objects.exists()
