import pytest

from shoufu.kernel.base.errors import Invalid
from shoufu.kernel.parties import identifiers


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("辽A·12345", "辽A12345"),
        ("辽a 7k3x2", "辽A7K3X2"),
        ("辽AD12345", "辽AD12345"),
        ("辽A12345D", "辽A12345D"),
        ("辽Ａ１２３４５", "辽A12345"),
        ("粤Z1234港", "粤Z1234港"),
        ("辽A1234警", "辽A1234警"),
        ("使123456", "使123456"),
        ("WJ辽12345", "WJ辽12345"),
    ],
)
def test_plates_have_one_written_form(written: str, stored: str) -> None:
    assert identifiers.plate(written) == stored


@pytest.mark.parametrize(
    "wrong", ["", "A12345", "辽A1234", "辽AI2345", "辽AO2345", "辽A1234567", "龙A12345", "辽AD1234X"]
)
def test_what_is_no_plate_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid, match="plate"):
        identifiers.plate(wrong)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("138 0000 0000", "+8613800000000"),
        ("+86-138-0000-0000", "+8613800000000"),
        ("024-8612 3456", "+862486123456"),
        ("+44 20 7946 0958", "+442079460958"),
    ],
)
def test_phones_become_e164(written: str, stored: str) -> None:
    assert identifiers.phone(written) == stored


@pytest.mark.parametrize("wrong", ["12345", "1380000000", "23800000000", "+0123456789", "phone"])
def test_what_is_no_phone_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid):
        identifiers.phone(wrong)


def test_an_identity_number_checks_itself() -> None:
    # The example of GB 11643-1999.
    assert identifiers.identity("11010519491231002x") == "11010519491231002X"
    for wrong in ("110105194912310021", "11010519491331002X", "1101051949", ""):
        with pytest.raises(Invalid):
            identifiers.identity(wrong)


def test_a_masked_phone_shows_its_ends() -> None:
    assert identifiers.masked("+8613812345678") == "138****5678" and identifiers.masked("12345") == "*****"
