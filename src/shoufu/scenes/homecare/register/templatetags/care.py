from django import template

from shoufu.kernel.parties.models import Household
from shoufu.kernel.parties.selectors import home_label
from shoufu.scenes.homecare.register import codes

register = template.Library()


@register.filter
def home(household: Household) -> str:
    """A home as people say it: "5 号楼 2 单元 301"."""
    return home_label(household)


@register.filter
def skills(values: list[str]) -> list[str]:
    """Skills in the reader's language."""
    return [str(codes.Skill(value).label) for value in values if value in codes.Skill.values]


@register.filter
def flags(values: list[str]) -> list[str]:
    """What speaks against a service, in the reader's language."""
    return [str(codes.Flag(value).label) for value in values if value in codes.Flag.values]


@register.filter
def professions(values: list[str]) -> list[str]:
    """Professions in the reader's language."""
    return [str(codes.Profession(value).label) for value in values if value in codes.Profession.values]
