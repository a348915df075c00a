"""Templates keep to the content security policy: no script in a page, nothing that htmx would have to evaluate."""

import re
from pathlib import Path

import shoufu

FORBIDDEN = {
    "a script in the page": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", re.IGNORECASE),
    "an event handler": re.compile(r"<[^>]*\s(on[a-z]+|hx-on[:a-z-]*)=", re.IGNORECASE),
    "a trigger's condition": re.compile(r"hx-trigger=\"[^\"]*\["),
    "values by script": re.compile(r"hx-(vals|headers)=['\"]js:"),
}


def test_no_template_needs_what_the_policy_forbids() -> None:
    pages = Path(shoufu.__path__[0]).rglob("templates/**/*.html")
    found = [
        f"{page.name}: {what}"
        for page in pages
        for what, pattern in FORBIDDEN.items()
        if pattern.search(page.read_text("utf-8"))
    ]
    assert found == []
