from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Contact(models.Model):
    """Whom a person wants to have called in need, in their order. Rests on the consent "emergency.contact".

    `name` and `phone` are encrypted with the person's key. `known` is set where the contact is registered here: then
    they are told in the application too.
    """

    PURPOSE = "calling those whom a person named, when the person calls for help"
    RETENTION_DAYS = 730

    person = models.ForeignKey("parties.Person", on_delete=models.CASCADE, related_name="emergency_contacts")
    name = models.BinaryField()
    phone = models.BinaryField(null=True, blank=True)
    known = models.ForeignKey("parties.Person", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    position = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["person", "position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(phone__isnull=False) | models.Q(known__isnull=False), name="contact_can_be_reached"
            )
        ]


class Request(models.Model):
    """Something that a resident asked for (a repair, a complaint, help); its case says how far it is.

    Who asked stays here, beside the case; the case names the home's unit only.
    """

    PURPOSE = "doing and answering what residents ask for"
    RETENTION_DAYS = 365

    class Kind(models.TextChoices):
        REPAIR = "repair", _("Repair")
        COMPLAINT = "complaint", _("Complaint")
        SOS = "sos", _("Call for help")

    person = models.ForeignKey("parties.Person", on_delete=models.CASCADE, related_name="requests")
    case = models.OneToOneField("cases.Case", on_delete=models.CASCADE, related_name="resident_request")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-made_at", "-pk"]


class HousePolicy(models.Model):
    """What the property office lets residents of a compound do by phone; nothing where there is no row."""

    place = models.OneToOneField("places.Place", on_delete=models.CASCADE, related_name="house_policy")
    remote_open = models.BooleanField(default=False)
