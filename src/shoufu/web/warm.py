"""What a page server reads before its first visitor asks, so that nobody pays for being the first."""

import gc
import threading
from pathlib import Path

from django.conf import settings
from django.template import engines
from django.template.loader import get_template
from django.urls import get_resolver
from django.utils import translation

PACKAGE = Path(__file__).resolve().parent.parent


def in_background() -> threading.Thread:
    """Read everything in a thread: the server answers meanwhile, somewhat slower."""
    thread = threading.Thread(target=warm, name="warm", daemon=True)
    thread.start()
    return thread


def warm() -> None:
    """Import the pages, read the languages and templates; then spare all of it from every later garbage collection."""
    _ = get_resolver().url_patterns
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            translation.gettext("")
    for name in template_names():
        get_template(name)
    gc.collect()
    gc.freeze()


def template_names() -> list[str]:
    """Our own templates, by the names that pages use."""
    found: set[str] = set()
    for folder in (Path(folder) for folder in engines["django"].template_dirs):
        if PACKAGE in folder.parents:
            found.update(path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    return sorted(found)
