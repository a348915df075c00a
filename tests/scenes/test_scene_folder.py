import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import psycopg
import pytest

SCENE = """
    from shoufu.kernel.base.scene import CaseKind, Figure, Kind, MenuItem, Role, RuleTemplate, Scene

    scene = Scene(
        code="aviary",
        name="鸟舍",
        name_en="Aviary",
        group="life",
        menu=(MenuItem("鸟舍", "Aviary", "feather", "aviary:home", "aviary.view"),),
        kinds=(
            Kind(
                "bird.song",
                "鸟鸣",
                "Bird song",
                {"type": "object", "properties": {"loudness": {"type": "number"}}, "required": ["loudness"]},
            ),
        ),
        case_kinds=(CaseKind("bird.loud", "鸟太吵", "Birds too loud"),),
        rule_templates=(
            RuleTemplate(
                "loud_birds",
                "鸟太吵",
                "Birds too loud",
                {
                    "kinds": ["bird.song"],
                    "where": "result.loudness > 90.0",
                    "key": "place",
                    "pattern": {"type": "match"},
                    "severity": "low",
                    "case": {"kind": "bird.loud"},
                    "notify": ["bird_keeper"],
                },
            ),
        ),
        roles=(Role("bird_keeper", "养鸟人", "Bird keeper", frozenset({"aviary.view", "places.view"})),),
        figures=(Figure("birds", "鸟", "Birds", lambda actor, path: 12),),
        urls="aviary_scene.urls",
    )
"""
URLS = """
    from django.http import HttpResponse
    from django.urls import path

    from shoufu.kernel.base.pages import needs

    app_name = "aviary"

    @needs("aviary.view")
    def home(request):
        return HttpResponse("twelve birds for " + request.actor.label)

    urlpatterns = [path("", home, name="home")]
"""
STORY = """
    import json
    from datetime import timedelta

    from shoufu.runtime import django
    django.setup()
    from django.core.management import call_command
    from django.test import Client
    from django.utils import timezone

    call_command("migrate", verbosity=0)
    from shoufu.kernel.access.models import RoleAssignment, User
    from shoufu.kernel.base import registry
    from shoufu.kernel.base.actor import SYSTEM
    from shoufu.kernel.observations.models import ObservationKind
    from shoufu.kernel.observations.services import sync_kinds
    from shoufu.kernel.places.models import Place
    from shoufu.kernel.rules.spec import check, parse

    sync_kinds(SYSTEM)
    place = Place.objects.create(kind="district", code="d", name="区", path="/1/", depth=0)
    keeper = User.objects.create(username="keeper", display_name="Kim")
    stranger = User.objects.create(username="stranger")
    since = timezone.now() - timedelta(hours=1)
    RoleAssignment.objects.create(user=keeper, role="bird_keeper", place=place, since=since)
    RoleAssignment.objects.create(user=stranger, role="resident", place=place, since=since)
    answers = {}
    for user in (keeper, stranger):
        client = Client()
        client.force_login(user)
        page = client.get("/aviary/")
        answers[user.username] = [page.status_code, page.content.decode() if page.status_code == 200 else ""]
        if user is keeper:
            answers["rail"] = "/aviary/" in client.get("/profile/").content.decode()
    template = registry.rule_templates()["loud_birds"]
    print(json.dumps({
        "kind": ObservationKind.objects.filter(code="bird.song").count(),
        "rule_errors": [str(error) for error in check(parse(template.spec), registry.kinds())],
        "role": registry.roles()["bird_keeper"].name_en,
        "case_kind": registry.case_kinds()["bird.loud"].name_en,
        "pages": answers,
    }))
"""


@pytest.fixture
def own_database(postgres_server: object) -> str:
    """A database of its own on the test server, with the tables of what comes along; its address."""
    from shoufu.runtime.servers import postgres
    from tests import databases

    databases.restored("scene_story")
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        parts = connection.info.get_parameters() | {"dbname": "scene_story", "password": connection.info.password}
    return psycopg.conninfo.make_conninfo(**{name: value for name, value in parts.items() if value})


def test_a_package_with_a_scene_is_all_it_takes(tmp_path: Path, own_database: str) -> None:
    """Kim writes a scene with a kind, a rule template, a page and a role; no file of the project changes."""
    package = tmp_path / "aviary_scene"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "scene.py").write_text(dedent(SCENE))
    (package / "urls.py").write_text(dedent(URLS))
    source = Path(__file__).resolve().parents[2] / "src"
    environment = os.environ | {
        "PYTHONPATH": f"{source}{os.pathsep}{tmp_path}",
        "SHOUFU_SCENE_PACKAGES": "aviary_scene",
        "DATABASE_URL": own_database,
    }
    done = subprocess.run(
        [sys.executable, "-c", dedent(STORY)], env=environment, check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {
        "kind": 1,
        "rule_errors": [],
        "role": "Bird keeper",
        "case_kind": "Birds too loud",
        "pages": {"keeper": [200, "twelve birds for Kim"], "stranger": [403, ""], "rail": True},
    }


def test_a_taken_code_is_refused_with_both_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from shoufu.kernel.base import registry

    package = tmp_path / "second_community"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "scene.py").write_text(
        "from shoufu.kernel.base.scene import Scene\n"
        "scene = Scene(code='community', name='x', name_en='x', group='life')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("SHOUFU_SCENE_PACKAGES", "second_community")
    registry.clear()
    try:
        with pytest.raises(ValueError, match=r"second_community.*community.*shoufu.scenes.community"):
            registry.installed()
    finally:
        monkeypatch.undo()
        registry.clear()
