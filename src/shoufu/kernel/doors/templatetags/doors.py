from django import template

from shoufu.kernel.doors.models import AccessPoint
from shoufu.kernel.doors.pages.points import Facts
from shoufu.kernel.doors.pages.points import facts as told

register = template.Library()


@register.filter
def facts(point: AccessPoint) -> Facts:
    """A door's four facts in words."""
    return told(point)
