from django import template

from shoufu.kernel.cases.lifecycle import case_kind as declared
from shoufu.kernel.cases.pages import kind_label, role_label

register = template.Library()


@register.filter
def case_kind(code: str) -> str:
    """A case kind's name in the reader's language."""
    return kind_label(code)


@register.filter
def case_icon(code: str) -> str:
    """A case kind's icon."""
    return declared(code).icon


@register.filter
def role(code: str) -> str:
    """A role's name in the reader's language."""
    return role_label(code)
