from django.http import HttpResponse
from django.shortcuts import render

from shoufu.kernel.base.pages import PageRequest


def profile(request: PageRequest) -> HttpResponse:
    """My language, theme, passkeys, tokens."""
    return render(request, "shell/profile.html", {})
