import re
import unicodedata
from datetime import date
from operator import mul

from django.utils.translation import gettext as _

from shoufu.kernel.base.errors import Invalid

PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
LETTERS = "A-HJ-NP-Z"  # I and O are not used on plates
# GA 36-2018: five characters after the issuing letter; the last may be a word. New-energy plates have six.
ORDINARY = re.compile(rf"[{PROVINCES}][A-Z](?:[{LETTERS}0-9]{{5}}|[{LETTERS}0-9]{{4}}[挂学警港澳])")
NEW_ENERGY = re.compile(rf"[{PROVINCES}][A-Z](?:[A-HJK][{LETTERS}0-9][0-9]{{4}}|[0-9]{{5}}[A-HJK])")
EMBASSY = re.compile(r"(?:使[0-9]{6}|[0-9]{6}使|[A-Z0-9]{1,2}[0-9]{4}领)")
POLICE_FORCE = re.compile(rf"WJ[{PROVINCES}]?[0-9]{{4}}[0-9A-Z]")

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"
MOBILE = re.compile(r"1[3-9][0-9]{9}")
LANDLINE = re.compile(r"0[0-9]{2,3}[0-9]{7,8}")
INTERNATIONAL = re.compile(r"\+[1-9][0-9]{6,14}")


def _tidy(text: str) -> str:
    return re.sub(r"[\s·•・.\-—()]", "", unicodedata.normalize("NFKC", text)).upper()


def plate(text: str, field: str = "plate") -> str:
    """A plate of mainland China in its one written form (辽A·12 345 → 辽A12345), or Invalid."""
    tidy = _tidy(text)
    if any(pattern.fullmatch(tidy) for pattern in (ORDINARY, NEW_ENERGY, EMBASSY, POLICE_FORCE)):
        return tidy
    raise Invalid.one(field, _("“%(text)s” is no plate; write it like 辽A12345 or 辽AD12345.") % {"text": text[:20]})


def plate_colour(plate_text: str) -> str:
    """The colour that a plate of this form usually has: "green" with eight characters, else "blue"."""
    return "green" if NEW_ENERGY.fullmatch(plate_text) else "blue"


def phone(text: str, field: str = "phone") -> str:
    """A phone number as E.164 (138 0000 0000 → +8613800000000), or Invalid."""
    tidy = _tidy(text)
    if INTERNATIONAL.fullmatch(tidy):
        return tidy
    if MOBILE.fullmatch(tidy):
        return f"+86{tidy}"
    if LANDLINE.fullmatch(tidy):
        return f"+86{tidy[1:]}"
    raise Invalid.one(field, _("No phone number; write a mobile number, an area code and number, or + and country."))


def identity(text: str, field: str = "identity") -> str:
    """A resident identity number (GB 11643: 18 characters, date of birth, ISO 7064 MOD 11-2 check), or Invalid."""
    tidy = _tidy(text)
    if not re.fullmatch(r"[1-9][0-9]{16}[0-9X]", tidy):
        raise Invalid.one(field, _("An identity number has 17 digits and then a digit or X."))
    if CHECKS[sum(map(mul, map(int, tidy[:17]), WEIGHTS)) % 11] != tidy[17]:
        raise Invalid.one(field, _("The check character does not fit; look for a mistyped digit."))
    birth_date(tidy, field)
    return tidy


def birth_date(identity_text: str, field: str = "identity") -> date:
    """The date of birth inside an identity number, or Invalid."""
    try:
        return date(int(identity_text[6:10]), int(identity_text[10:12]), int(identity_text[12:14]))
    except ValueError as error:
        raise Invalid.one(field, _("Digits 7 to 14 are no date of birth.")) from error


def masked(text: str) -> str:
    """Enough to recognise a number that one knows: 138****0000."""
    bare = text.removeprefix("+86")
    return f"{bare[:3]}{'*' * max(0, len(bare) - 7)}{bare[-4:]}" if len(bare) > 7 else "*" * len(bare)
