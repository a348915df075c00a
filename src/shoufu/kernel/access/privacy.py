"""What this app holds about people, and what becomes of it at erasure; see kernel/privacy/declarations.py."""

from collections.abc import Iterator

from django.contrib.sessions.models import Session
from django.db.models import Q

from shoufu.kernel.access import services
from shoufu.kernel.base.actor import Actor
from shoufu.kernel.privacy.declarations import Erase, Holding, Hooks, NotPersonal, Receipt, Subject

SIGNING_IN = ("signing in", "登录")


def _user(subject: Subject) -> Q | None:
    return Q(user=subject.user) if subject.user else None


def _ended(actor: Actor, subject: Subject, reason: str) -> Iterator[Receipt]:
    """Sign the person out everywhere; sessions name their user inside their sealed data, so each is opened."""
    if subject.user is None:
        return
    services.end_sessions([subject.user])
    mine = [
        session.pk
        for session in Session.objects.iterator()
        if str(session.get_decoded().get("_auth_user_id", "")) == str(subject.user)
    ]
    Session.objects.filter(pk__in=mine).delete()
    yield Receipt("sessions", str(len(mine)))


holdings = (
    Holding(
        "access.user",
        lambda s: Q(pk=s.user) if s.user else None,
        *SIGNING_IN,
        365,
        erase=Erase.BLANK,
        blank={
            "username": lambda s: f"erased-{s.user}",
            "display_name": "",
            "first_name": "",
            "last_name": "",
            "email": "",
            "password": "!",
            "is_active": False,
            "last_login": None,
            "person": None,
        },
        export=("username", "display_name", "email", "language", "date_joined", "last_login"),
        title="My account",
        title_zh="我的账号",
    ),
    Holding(
        "access.roleassignment",
        _user,
        *SIGNING_IN,
        365,
        export=lambda row: {"role": row.role, "place": row.place.label, "since": row.since, "until": row.until},
        title="My roles",
        title_zh="我的角色",
    ),
    Holding("access.apitoken", _user, *SIGNING_IN, 365, export=("name", "created_at", "expires_at", "last_used_at")),
    Holding("account.emailaddress", _user, *SIGNING_IN, 365, export=("email", "verified")),
    Holding("mfa.authenticator", _user, *SIGNING_IN, 365, export=("type", "created_at", "last_used_at")),
    Holding("socialaccount.socialaccount", _user, *SIGNING_IN, 365, export=("provider", "uid", "date_joined")),
)

not_personal = (
    NotPersonal("account.emailconfirmation", "goes with its e-mail address"),
    NotPersonal("socialaccount.socialtoken", "goes with its account"),
    NotPersonal("socialaccount.socialapp", "settings of a provider"),
    NotPersonal("auth.group", "not used"),
    NotPersonal("auth.permission", "not used"),
)

hooks = Hooks(ended=_ended)
