"""What is answered where no page of ours did."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client, RequestFactory

from shoufu.web import failures

pytestmark = pytest.mark.django_db


def test_an_unknown_address_stands_in_the_shell(sign_in: Callable[[str], Any], settings: Any) -> None:
    settings.DEBUG = False
    answer = sign_in("guard").get("/no/such/page/")
    page = answer.content.decode()
    assert answer.status_code == 404 and "没有这个页面" in page and 'class="rail' in page


def test_a_stranger_at_an_unknown_address_learns_nothing(client: Client, settings: Any) -> None:
    settings.DEBUG = False
    answer = client.get("/no/such/page/")
    assert answer.status_code in (302, 404) and b"rail" not in answer.content


def test_a_program_gets_a_problem(sign_in: Callable[[str], Any]) -> None:
    answer = sign_in("guard").get("/no/such/page/", headers={"Accept": "application/json"})
    assert answer.status_code == 404 and answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:shoufu:not-found"


def test_a_form_without_its_token_is_told_what_to_do(sign_in: Callable[[str], Any]) -> None:
    guard = sign_in("guard")
    guard.handler.enforce_csrf_checks = True
    answer = guard.post("/profile/preferences", {"language": "en"})
    assert answer.status_code == 403 and "这张表单已失效" in answer.content.decode()


def test_a_fault_asks_nothing_of_the_database(django_assert_num_queries: Any, rf: RequestFactory) -> None:
    with django_assert_num_queries(0):
        answer = failures.broken(rf.get("/desk/"))
    assert answer.status_code == 500 and "这里出了故障" in answer.content.decode()
