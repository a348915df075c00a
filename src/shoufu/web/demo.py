import ipaddress
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.core import signing
from django.http import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from shoufu.kernel.access.models import User
from shoufu.kernel.base.errors import Forbidden, NotFound
from shoufu.kernel.base.pages import public

SALT = "shoufu.demo.sign-in"


def link(username: str) -> str:
    """The path that signs this user in with one click; it works only in the demo and only from this machine."""
    return reverse("demo", args=[signing.dumps(username, salt=SALT)])


def _local(request: Any) -> bool:
    """Whether every address on the way, the edge's forwarded ones included, is this machine's own."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    hops = [request.META.get("REMOTE_ADDR", ""), *(hop.strip() for hop in forwarded.split(",") if hop.strip())]
    try:
        return all(ipaddress.ip_address(hop).is_loopback for hop in hops)
    except ValueError:
        return False


@public
def sign_in(request: Any, token: str) -> HttpResponseBase:
    """Sign in by a link from `link`."""
    if not settings.DEMO or not _local(request):
        raise NotFound(_("There is no such page."))
    try:
        username = signing.loads(token, salt=SALT)
    except signing.BadSignature as error:
        raise Forbidden(_("This link is not valid; take a new one from the demo's start page.")) from error
    user = User.objects.filter(username=username, is_active=True).first()
    if user is None:
        raise NotFound(_("The demo has no such user; load the demo district again."))
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return redirect(settings.LOGIN_REDIRECT_URL)
