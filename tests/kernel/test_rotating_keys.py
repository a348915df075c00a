"""A new key for everything that the old one sealed, and no key forgotten that something still needs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from click.testing import CliRunner
from django.utils import timezone

import shoufu
from shoufu.kernel.access.adapter import MfaAdapter
from shoufu.kernel.audit import subjects
from shoufu.kernel.base import keyring, registry, resealing
from shoufu.kernel.base.resealing import Column
from shoufu.kernel.doors.models import Credential
from shoufu.kernel.parties.models import Person
from shoufu.kernel.privacy.models import Tombstone
from shoufu.runtime.commands.keys.rotate import command
from shoufu.runtime.drill.neighbours.rows import Estate
from shoufu.runtime.errors import Problem

pytestmark = pytest.mark.django_db


def planted(estate: Estate, column: Column) -> Any:
    """A row whose column holds a value that the ring sealed; its key."""
    visitor = {"person": None, "holder": "访客"} if column.model == "doors.Credential" else {}
    pk = estate.make(column.table, **visitor).pk
    sealed = keyring.ring().encrypt(b"kept", column.context(pk))
    column.table._base_manager.filter(pk=pk).update(**{column.column: sealed})
    return pk


def test_nothing_is_lost_when_the_old_key_is_forgotten(world: Any) -> None:
    """A row of every column that apps declare, a one-time code, a card found by its number."""
    estate = Estate("own", 1, "qjw", "qjwvkx", world.songshan)
    columns = [one for one in resealing.sealings() if isinstance(one, Column) and one.model != "audit.SubjectKey"]
    assert {"community_visitors_invitation.phone", "referrals_referral.contact"} <= {one.where for one in columns}
    rows = [(column, planted(estate, column)) for column in columns]
    code = Authenticator.objects.create(user=world.chen, type="totp", data={"secret": MfaAdapter().encrypt("TOTP")})
    person = estate.make(Person).pk
    key = subjects.keys_for([person])[person]
    assert key is not None
    card = estate.make(Credential, person=Person.objects.get(pk=person), technology="card").pk
    sealed = subjects.seal_text(key, "04A1B2C3", person, f"credential:{card}")
    lookup = keyring.ring().lookup("04A1B2C3", "credential:card")
    Credential.objects.filter(pk=card).update(secret=sealed, lookup=lookup)
    old = keyring.ring().active
    answer = CliRunner().invoke(command, ["--drop-old", "--json"])
    assert answer.exception is None, answer.exception
    told, ring = json.loads(answer.stdout), keyring.ring()
    assert old in told["dropped"] and list(ring.keys) == [told["active"]]
    for column, pk in rows:
        value = column.table._base_manager.values_list(column.column, flat=True).get(pk=pk)
        assert ring.decrypt(bytes(value), column.context(pk)) == b"kept", column.where
    code.refresh_from_db()
    assert MfaAdapter().decrypt(code.data["secret"]) == "TOTP"
    found = Credential.objects.values_list("lookup", flat=True).get(pk=card)
    assert bytes(found or b"") == ring.lookup("04A1B2C3", "credential:card") != lookup


def test_a_key_that_something_still_needs_is_not_forgotten(db: None) -> None:
    number = keyring.ring().active
    stone = {"person": 7, "code_hash": b"x" * 32, "place": 1, "tokens": [["t"]], "key_number": number, "reason": "x"}
    Tombstone.objects.create(**stone, erased_at=timezone.now(), proof_until=timezone.now())
    answer = CliRunner().invoke(command, ["--drop-old"])
    assert isinstance(answer.exception, Problem) and "privacy_tombstone.tokens (1)" in str(answer.exception)
    assert number in keyring.ring().keys and keyring.ring().active > number


def test_who_seals_with_the_ring_says_so() -> None:
    """An app that the next rotation would forget fails here."""
    root = Path(shoufu.__file__).parent
    apps = {root.joinpath(*app.split(".")[1:]) for app in (*registry.kernel_apps(), *registry.scene_apps())}
    seals = re.compile(r"ring(\(\))?\.encrypt\(")
    for file in root.rglob("*.py"):
        if file.name in ("resealing.py", "keyring.py", "sealings.py") or not seals.search(file.read_text()):
            continue
        (app,) = [
            one
            for one in apps
            if one in file.parents and not any(one in other.parents for other in apps & set(file.parents))
        ]
        assert (app / "sealings.py").exists(), file
