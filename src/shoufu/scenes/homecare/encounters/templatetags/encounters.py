from django import template

from shoufu.scenes.homecare.encounters.words import word

register = template.Library()


@register.filter
def word_of(code: str, field: str) -> str:
    """The word of a code, in the reader's language."""
    return word(field, code)
