"""The built style sheet holds only the classes of Tabler that pages name, so the list of them must be whole."""

import json
import re
from pathlib import Path

from shoufu.web import translations

TOP = Path(translations.PACKAGE).parents[1]
FRONT = TOP / "frontend"
WORD = re.compile(r"-?[A-Za-z_][\w-]*")


def _written() -> set[str]:
    """Every class that a template's `class="…"` or an island's `className` and `classList` name."""
    found: set[str] = set()
    for page in (TOP / "src" / "shoufu").rglob("*.html"):
        for value in re.findall(r'class="([^"]*)"', page.read_text(encoding="utf-8")):
            found.update(WORD.findall(re.sub(r"\{%.*?%\}|\{\{.*?\}\}", " ", value)))
    for island in (FRONT / "src").rglob("*.ts"):
        for value in re.findall(r'(?:className = |classList\.\w+\()[`"]([^`"]*)', island.read_text(encoding="utf-8")):
            found.update(WORD.findall(value))
    return found


def test_every_class_that_pages_name_is_listed_or_not_tablers() -> None:
    sheet = FRONT / "node_modules" / "@tabler" / "core" / "dist" / "css" / "tabler.css"
    listed = set(json.loads((FRONT / "classes.json").read_text()))
    rules = re.sub(r"/\*.*?\*/", "", sheet.read_text(encoding="utf-8"), flags=re.DOTALL) if sheet.exists() else ""
    tablers = set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", rules))
    missing = (_written() & tablers) - listed
    assert not missing, f"run `npm run classes` in frontend: {sorted(missing)}"
    assert {"btn", "dropdown-menu", "visually-hidden"} <= listed
