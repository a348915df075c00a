from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from shoufu.kernel.base.errors import Conflict, Invalid, Problem
from shoufu.kernel.base.pages import FormState


def tried(request: HttpRequest, act: Callable[[], Any]) -> tuple[FormState | None, int]:
    """Do it. None where it was done; else the form as it was typed, with what is wrong, and the HTTP status."""
    try:
        act()
    except Invalid as refusal:
        errors = {error.field: str(error.message) for error in refusal.errors}
        return FormState(request.POST.dict(), errors), 422
    except Conflict as refusal:
        return FormState(request.POST.dict(), problem=refusal.detail), 409
    except Problem as refusal:
        if refusal.kind != "provider":
            raise
        return FormState(request.POST.dict(), problem=f"{refusal.title}: {refusal.detail}"), refusal.status
    return None, 200
