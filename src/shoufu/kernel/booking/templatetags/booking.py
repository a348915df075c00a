from django import template

register = template.Library()


@register.filter
def money(minor: int) -> str:
    """An amount in hundredths of a currency: 2001 → "20.01"."""
    return f"{minor // 100:,}.{minor % 100:02d}"
