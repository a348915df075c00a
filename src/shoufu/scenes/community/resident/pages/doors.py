import base64

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shoufu.kernel.base.pages import FormState, PageRequest, needs
from shoufu.kernel.parties.selectors import unit_label
from shoufu.scenes.community.resident import selectors, services
from shoufu.scenes.community.resident.pages.common import person_id, shown, tried


@needs("own.door")
def door(request: PageRequest) -> HttpResponse:
    """My doors, my code, my cards and phones, my PIN."""
    chosen = person_id(request)
    mine = selectors.my_doors(request.actor, chosen)
    phones = " ".join(str(one.pk) for one in mine.credentials if one.technology == "qr")
    first = max(mine.doors, key=lambda one: one.point.place.depth, default=None)
    pin = request.session.pop("new-pin", "")
    return shown(request, "community/resident/door.html", mine=mine, phones=phones, door=first, pin=pin)


@require_POST
@needs("own.door")
def enrol(request: PageRequest) -> JsonResponse:
    """Make this phone a key: the secret is handed out once, to be kept where scripts cannot read it again."""
    key = services.enrol(request.actor, request.headers.get("Sec-CH-UA-Platform", "").strip('"'))
    first = selectors.first_door(request.actor)
    return JsonResponse(
        {
            "credential": key.credential.pk,
            "head": base64.b64encode(bytes((0x10 | key.group,)) + key.identifier).decode(),
            "key": base64.b64encode(key.key).decode(),
            "size": 8,
            "step": key.step_seconds,
            "label": unit_label(first.point.place.parent or first.point.place) if first else "",
        },
        headers={"Cache-Control": "no-store"},
    )


@require_POST
@needs("own.door")
def open_door(request: PageRequest, point_id: int) -> HttpResponse:
    """Open a door from the phone, where the property office allows it."""
    form = FormState()
    _done, status = tried(form, lambda: services.open_door(request.actor, point_id, person_id(request)))
    if status == 200:
        messages.success(request, _("The door opens."))
    else:
        messages.error(request, form.problem or " ".join(form.errors.values()))
    return redirect("community:resident:door")


@require_POST
@needs("own.door")
def lost(request: PageRequest, credential_id: int) -> HttpResponse:
    """A card or phone is lost: it opens nothing from now on."""
    services.lost(request.actor, credential_id)
    messages.success(request, _("It opens nothing any more. Found it? The property office switches it on again."))
    return redirect("community:resident:door")


@require_POST
@needs("own.door")
def pin(request: PageRequest) -> HttpResponse:
    """A new PIN, shown once."""
    form = FormState()
    made, status = tried(form, lambda: services.new_pin(request.actor))
    if status == 200:
        request.session["new-pin"] = made
    else:
        messages.error(request, form.problem or " ".join(form.errors.values()))
    return redirect("community:resident:door")


@needs("resident.manage")
def office(request: PageRequest) -> HttpResponse:
    """What the property office lets residents do by phone."""
    if request.method == "POST":
        number = request.POST.get("place", "")
        wanted = request.POST.get("remote_open") == "on"
        services.set_policy(request.actor, int(number) if number.isdecimal() else 0, remote_open=wanted)
        messages.success(request, _("Saved."))
        return redirect("community:resident:office")
    return render(request, "community/resident/office.html", {"policies": selectors.policies(request.actor)})
