"""What is answered where no page of ours did: an unknown address, a form that is too old, a fault of our own."""

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Problem
from shoufu.web.middleware import problem_answer, problem_response, wants_problem


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """404, in the shell for whoever is signed in."""
    detail = _("Check the address, or go on from the start.")
    return _answer(request, Problem(_("There is no page at this address"), detail, status=404, kind="not-found"))


def refused(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """403 of Django's own."""
    return _answer(request, Problem(_("Not allowed"), _("This account may not do that."), status=403, kind="forbidden"))


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose token does not fit: sent from another site, or written before the last sign-in."""
    detail = _("Go back, load the page again and send the form once more. What you typed is still in the form.")
    problem = Problem(_("This form is no longer valid"), detail, status=403, kind="stale-form")
    return _answer(request, problem)


def broken(request: HttpRequest) -> HttpResponse:
    """500: nothing is asked of the database or of the session here, either may be what is broken."""
    detail = _("The fault was written to the log of the page server. Try again; nothing was half saved.")
    problem = Problem(_("Something went wrong here"), detail, status=500, kind="internal")
    if wants_problem(request):
        return problem_response(problem)
    return _alone(problem)


def _answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    if wants_problem(request):
        return problem_response(problem)
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return _alone(problem)
    return problem_answer(request, problem)


def _alone(problem: Problem) -> HttpResponse:
    """Without the request, so that the page asks nothing of session and user."""
    language = "en" if (get_language() or "").startswith("en") else "zh"
    text = render_to_string("shell/failure.html", {"problem": problem, "language": language})
    return HttpResponse(text, status=problem.status)
