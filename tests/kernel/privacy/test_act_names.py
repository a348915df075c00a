"""Whoever reads who did what with their data reads words, not codes."""

import ast
from pathlib import Path

import pytest
from django.utils import translation

import shoufu
from shoufu.kernel.base import registry
from shoufu.kernel.privacy import acts

SOURCE = Path(shoufu.__path__[0])
HELPERS = {"_given", "_person_act", "_residency_act", "_consent_act", "_own_act", "_user_act"}
# Modules whose own `act` or `_act` writes down whom it concerns.
PERSONAL = {
    "kernel/doors/services/credentials.py",
    "kernel/doors/services/credential_states.py",
    "kernel/privacy/services/delegations.py",
    "scenes/community/visitors/services",
    "scenes/community/welfare/services",
}


def codes() -> set[str]:
    """The codes of acts that are recorded with the person whom they concern."""
    found = set()
    for path in SOURCE.rglob("*.py"):
        local = path.relative_to(SOURCE).as_posix()
        own = {"act", "_act"} if any(local.startswith(name) for name in PERSONAL) else set()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _concerns(node, HELPERS | own):
                found |= {arg.value for arg in node.args if _is_code(arg)}
    return found


def _concerns(call: ast.Call, helpers: set[str]) -> bool:
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    return name in helpers or (name == "Act" and any(word.arg == "subject" for word in call.keywords))


def _is_code(arg: ast.expr) -> bool:
    return isinstance(arg, ast.Constant) and isinstance(arg.value, str) and "." in arg.value and " " not in arg.value


def test_every_act_that_concerns_a_person_has_words() -> None:
    found = codes()
    assert {"doors.assign", "resident.ask", "visitors.invite", "welfare.begin"} <= found
    assert found - set(acts.KERNEL) - set(registry.act_names()) == set()


@pytest.mark.parametrize(
    ("language", "words"), [("zh-hans", "给了您门禁权限"), ("en", "Gave you the right to pass doors")]
)
def test_names_speak_the_readers_language(language: str, words: str) -> None:
    with translation.override(language):
        assert acts.name("doors.assign") == words
        assert acts.name("visitors.invite") in ("邀请了访客", "Invited a visitor")
