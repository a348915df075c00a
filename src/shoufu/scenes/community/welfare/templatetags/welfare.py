from django import template
from django.utils import timezone

from shoufu.scenes.community.welfare import words
from shoufu.scenes.community.welfare.models import Check

register = template.Library()


@register.filter
def why(check: Check) -> str:
    """Why a check was begun, for the person and who answers for them."""
    return words.why(check, timezone.now())
