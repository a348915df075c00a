import gettext
import io
import re

import pytest

from shoufu.web import translations

GAP = re.compile(r"%\([a-z_]+\)[sd]|%[sd]", re.IGNORECASE | re.ASCII)


def catalogue() -> list[translations.Message]:
    return [m for path in translations.catalogues() for m in translations.parse(path.read_text("utf-8"))]


def test_every_string_has_its_chinese() -> None:
    assert translations.missing() == {}


def test_gaps_agree() -> None:
    wrong = [m.id for m in catalogue() if m.id and set(GAP.findall(m.id.split("\x00")[0])) != set(GAP.findall(m.text))]
    assert wrong == []


def test_nothing_is_translated_twice() -> None:
    ids = [message.id for message in catalogue() if message.id]
    assert len(ids) == len(set(ids))


def test_compiled_catalogue_is_read_by_gettext() -> None:
    text = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    text += 'msgid "Case"\nmsgstr "事件"\n\nmsgid "%(n)d day"\nmsgid_plural "%(n)d days"\nmsgstr[0] "%(n)d 天"\n'
    found = gettext.GNUTranslations(io.BytesIO(translations.encode(translations.parse(text))))
    assert found.gettext("Case") == "事件"
    assert found.ngettext("%(n)d day", "%(n)d days", 1) == "%(n)d 天"


def test_a_broken_line_is_named() -> None:
    with pytest.raises(translations.CatalogueError, match="line 2"):
        translations.parse('msgid "a"\nmsgstr b\n')


def test_templates_and_code_are_scanned() -> None:
    found = translations.used()
    assert found["Acknowledge"].startswith("kernel/cases/pages")
    assert any(key.startswith("%(n)d case done.\x00") for key in found)


def test_a_function_by_another_name_is_scanned_too() -> None:
    code = 'from django.utils.translation import gettext_lazy as later\nWORDS = {"late": later("Came late")}\n'
    assert list(translations._python(code)) == ["Came late"]
