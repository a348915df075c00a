from base64 import b64decode, b64encode
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest, HttpResponse

from shoufu.kernel.access import services
from shoufu.kernel.access.models import User
from shoufu.kernel.base import keyring

TOTP = b"access.totp"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are given by an administrator: nobody signs up by themselves. Sign-ins leave an audit entry."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        methods = request.session.get("account_authentication_methods") or [{}]
        services.signed_in(user, str(methods[-1].get("type") or methods[-1].get("method") or "password"))
        response: HttpResponse = super().post_login(request, user, **kwargs)
        return response

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        super().authentication_failed(request, **credentials)
        services.sign_in_failed(str(credentials.get("username") or ""), self.get_client_ip(request))

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            services.signed_out(request.user)
        super().logout(request)

    def set_password(self, user: User, password: str) -> None:
        super().set_password(user, password)
        services.credential_changed(user, "password")


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of one-time codes are kept encrypted with the key ring."""

    def encrypt(self, text: str) -> str:
        return b64encode(keyring.ring().encrypt(text.encode(), TOTP)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return keyring.ring().decrypt(b64decode(encrypted_text), TOTP).decode()
