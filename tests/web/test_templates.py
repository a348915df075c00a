"""Templates keep to the content security policy: no script in a page, nothing that htmx would have to evaluate."""

import re
from collections.abc import Iterator
from pathlib import Path

import shoufu

FORBIDDEN = {
    "a script in the page": re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", re.IGNORECASE),
    "an event handler": re.compile(r"<[^>]*\s(on[a-z]+|hx-on[:a-z-]*)=", re.IGNORECASE),
    "a trigger's condition": re.compile(r"hx-trigger=\"[^\"]*\["),
    "values by script": re.compile(r"hx-(vals|headers)=['\"]js:"),
}


TAG = re.compile(r"\{[%{].*?[%}]\}")


def markup() -> Iterator[tuple[str, str]]:
    """The name of each template and what it writes by itself."""
    for page in Path(shoufu.__path__[0]).rglob("templates/**/*.html"):
        yield page.name, TAG.sub("", page.read_text("utf-8"))


def test_no_template_needs_what_the_policy_forbids() -> None:
    found = [
        f"{name}: {what}" for name, text in markup() for what, pattern in FORBIDDEN.items() if pattern.search(text)
    ]
    assert found == []
