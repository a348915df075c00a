from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from shoufu.engines.fhir.reading import read, write

BASE = "/homecare/fhir/R4"
FHIR = "application/fhir+json"


@dataclass
class Program:
    """A program that speaks FHIR with an account's session; bodies are resources or raw bytes."""

    browser: Client

    def get(self, address: str, **headers: str) -> Any:
        return self._read(self.browser.get(f"{BASE}{address}", headers=_names(headers)))

    def send(self, method: str, address: str, body: Any = b"", kind: str = FHIR, **headers: str) -> Any:
        data = body if isinstance(body, bytes) else write(body)
        answer = self.browser.generic(method, f"{BASE}{address}", data, kind, headers=_names(headers))
        return self._read(answer)

    def post(self, address: str, body: Any = b"", kind: str = FHIR, **headers: str) -> Any:
        return self.send("POST", address, body, kind, **headers)

    @staticmethod
    def _read(answer: Any) -> Any:
        kind = "" if answer.streaming or not answer.content else answer["Content-Type"]
        if "fhir+json" in kind or kind == "application/json":
            answer.content_read = read(answer.content)[0]
        return answer


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def program(care: Any) -> Any:
    """`program("gao")`: that person's program."""
    return lambda name: Program(care.client(name))
