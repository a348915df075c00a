from django.utils.translation import gettext as _


def reason(code: str) -> str:
    """Why a barrier did what it did, in the reader's language."""
    words = {
        "known": _("On the list"),
        "emergency": _("Emergency vehicles pass at once"),
        "watched": _("Watched for: decide yourself; a case was raised"),
        "similar": _("Nearly a known plate; a character may be misread"),
        "unknown": _("Not on any list"),
        "unsure": _("Read badly; look yourself"),
        "leaves": _("Way out is free"),
        "inside": _("This visitor's car came in already; look whose it is"),
        "second_car": _("The household's space is taken by its other car"),
        "second_car_guest": _("Second car of the household: as a guest"),
    }
    return words.get(code, code)
