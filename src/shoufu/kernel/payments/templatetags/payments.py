import segno
from django import template
from django.utils.safestring import SafeString, mark_safe

from shoufu.kernel.payments.money import plain, shown

register = template.Library()
register.filter("money", shown)
register.filter("plain", plain)


@register.filter
def qr(text: str) -> SafeString:
    """A QR code as inline SVG; dark on white in every theme, for cameras."""
    made = segno.make(text, error="m", micro=False)
    return mark_safe(made.svg_inline(scale=4, border=4, dark="#000", light="#fff", svgclass="qr"))
