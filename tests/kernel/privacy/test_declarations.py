"""Every table with a field that looks personal is declared: held, or not personal and why."""

import re

from django.apps import apps
from django.db import models

from shoufu.kernel.access.models import User
from shoufu.kernel.parties.models import Person
from shoufu.kernel.privacy import declarations

LOOKS_PERSONAL = re.compile(
    r"(^|_)(holder|visitor|phone|plate|identity|e?mail|address|born|birthday|face|template_vector)($|_)"
)
OURS = ("shoufu.", "allauth.")


def personal_fields(model: type[models.Model]) -> list[str]:
    """Fields that point at a person or account, are named as what persons have, or are encrypted."""
    found = []
    for field in (*model._meta.local_fields, *model._meta.local_many_to_many):
        points = field.remote_field is not None and field.related_model in (Person, User)
        if points or LOOKS_PERSONAL.search(field.name) or field.name in ("secret", "sealed", "content", "undo"):
            found.append(field.name)
    return found


def test_every_table_that_looks_personal_is_declared() -> None:
    declared = {one.table for one in declarations.holdings()}
    excused = {name.lower() for name in declarations.not_personal()}
    missing = {
        model._meta.label_lower: fields
        for model in apps.get_models()
        if model.__module__.startswith(OURS)
        and model not in declared
        and model._meta.label_lower not in excused
        and (fields := personal_fields(model))
        and not model._meta.auto_created
    }
    assert not missing, f"declare a Holding or NotPersonal in the app's privacy.py: {missing}"


def test_a_purpose_declared_on_a_model_is_in_the_register() -> None:
    declared = {one.table for one in declarations.holdings()}
    excused = {name.lower() for name in declarations.not_personal()}
    missing = [
        model._meta.label_lower
        for model in apps.get_models()
        if hasattr(model, "PURPOSE") and model not in declared and model._meta.label_lower not in excused
    ]
    assert not missing, f"these name a purpose but stand in no privacy.py: {missing}"


def test_what_is_kept_says_why_and_names_exist() -> None:
    for holding in declarations.holdings():
        assert holding.table is not None
        assert holding.erase != "keep" or holding.why, f"{holding.model}: say why it stays"
        assert holding.purpose and holding.purpose_zh
        known = {field.name for field in holding.table._meta.get_fields()} | {
            field.attname for field in holding.table._meta.concrete_fields
        }
        assert set(holding.blank) <= known, holding.model
        if not callable(holding.export):
            assert set(holding.export) <= known, f"{holding.model}: {set(holding.export) - known}"
    assert len(declarations.purposes()) >= 4 and len(declarations.scopes()) >= 12


def test_retention_tasks_exist() -> None:
    from procrastinate.contrib.django import app

    known = set(app.tasks)
    missing = [one.task for one in declarations.retentions() if one.task not in known]
    assert not missing, missing
