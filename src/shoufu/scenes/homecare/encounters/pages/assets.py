"""What the app is made of: found by the same index that templates use."""

import re

from django.template import Context, Template

ADDRESS = re.compile(r'(?:href|src)="([^"]+)"')


def _found(tag: str) -> list[str]:
    return ADDRESS.findall(Template("{% load shell %}" + tag).render(Context()))


def files() -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Addresses of the module, of its style sheets, and of the modules it imports; empty where nothing is built."""
    scripts, styles = _found('{% island "nurse" %}'), _found('{% styles "nurse" %}')
    return (scripts[-1] if scripts else "", tuple(styles), tuple(scripts[:-1]))


def sprite() -> str:
    """The address of the sprite of icons."""
    found = _found('{% icon "check" %}')
    return found[0].partition("#")[0] if found else ""
