"""The built files that the offline page needs, as the template tags name them."""

import re

from django.template import engines


def assets() -> list[str]:
    """Addresses of the style sheets, scripts and icons of the offline page."""
    source = '{% load shell %}{% styles "shell" %}{% styles "resident" %}{% island "resident" %}{% icon "door" %}'
    html = engines["django"].from_string(source).render()
    found = re.findall(r'(?:href|src)="([^"#]+)', html)
    return list(dict.fromkeys(found))
