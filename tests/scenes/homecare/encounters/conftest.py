import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests import browsers
from tests.scenes.homecare.encounters.hand import WAIT, Hand


@pytest.fixture
def visiting(care: Any) -> Any:
    """Song is sent to Mei today, with a phone; see phone.py."""
    spec = importlib.util.spec_from_file_location("care_phone", Path(__file__).with_name("phone.py"))
    assert spec is not None and spec.loader is not None
    module = sys.modules.get("care_phone") or importlib.util.module_from_spec(spec)
    if "care_phone" not in sys.modules:
        sys.modules["care_phone"] = module
        spec.loader.exec_module(module)
    return module.build(care)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with browsers.started() as found:
        yield found


@pytest.fixture
def hand(transactional_db: None, browser: Any, live_server: Any, visiting: Any, settings: Any) -> Iterator[Callable]:  # type: ignore[type-arg]
    """Opens the phone of Song; what the page throws fails the test."""
    settings.WHITENOISE_AUTOREFRESH = True
    contexts, thrown = [], []

    def opened(language: str = "zh-CN", user: str = "song") -> Hand:
        at = {"longitude": 123.4202, "latitude": 41.8402, "accuracy": 8}
        context = browser.new_context(
            viewport={"width": 390, "height": 844},
            timezone_id="Asia/Shanghai",
            locale=language,
            geolocation=at,
            permissions=["geolocation"],
            has_touch=True,
        )
        context.set_default_timeout(WAIT)
        signed_in = Client()
        signed_in.force_login(visiting.care.users[user])
        cookie = signed_in.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: thrown.append(str(error)))
        return Hand(page, live_server.url)

    yield opened
    for context in contexts:
        context.close()
    assert thrown == []
