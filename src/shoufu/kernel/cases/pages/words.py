from django.utils.translation import get_language

from shoufu.kernel.base import registry
from shoufu.kernel.cases.lifecycle import case_kind
from shoufu.kernel.cases.models import Case


def _english() -> bool:
    return (get_language() or "").startswith("en")


def kind_label(code: str) -> str:
    """A case kind's name in the reader's language."""
    kind = case_kind(code)
    return kind.name_en if _english() else kind.name


def role_label(code: str) -> str:
    """A role's name in the reader's language."""
    role = registry.roles().get(code)
    return (role.name_en if _english() else role.name) if role else code


def title_of(case: Case) -> str:
    return case.title_en if _english() and case.title_en else case.title
