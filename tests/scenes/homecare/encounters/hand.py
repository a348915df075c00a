"""A nurse's hand on the phone: what the browser tests have in common."""

import os
import re
from typing import Any

SHOTS = os.environ.get("SHOTS", "")
WAIT = 30_000
PIN = "274951"
PHONE = "/homecare/encounters/phone/"


class Hand:
    """A nurse's hand on the phone."""

    def __init__(self, page: Any, server: str) -> None:
        self.page, self.server = page, server
        self.shots = 0

    def shot(self, name: str) -> None:
        if SHOTS:
            self.shots += 1
            self.page.screenshot(path=f"{SHOTS}/{self.shots:02d}-{name}.png", full_page=True)

    def set_up(self) -> None:
        self.page.goto(self.server + PHONE)
        self.page.fill("input[name=pin]", PIN)
        self.page.fill("input[name=again]", PIN)
        self.shot("pin")
        self.page.click("form button")
        self.page.wait_for_selector(".card.visit")
        while not self.page.evaluate("navigator.serviceWorker.controller !== null"):
            self.page.wait_for_timeout(50)

    def unlock(self) -> None:
        self.page.fill("input[name=pin]", PIN)
        self.page.click("form button")
        self.page.wait_for_selector("input[name=pin]", state="detached")

    def step(self, name: str) -> None:
        self.page.click(f"a.step-link[href$='/{name}']")
        self.page.wait_for_selector(".step")

    def choose(self, name: str, value: str) -> None:
        self.page.click(f"label:has(input[name='{name}'][value='{value}'])")

    def save(self) -> None:
        self.page.click("[data-save]")
        self.page.wait_for_selector(".steps")

    def chip(self) -> tuple[str, int]:
        chip = self.page.locator(".chip")
        return chip.get_attribute("data-state"), int(chip.get_attribute("data-waiting"))

    def located(self) -> None:
        self.page.locator(".step [role=status]", has_text=re.compile(r"\d+ (米|m)")).wait_for()

    def settled(self) -> None:
        """Everything is sent."""
        self.page.wait_for_selector(".chip[data-state=ready][data-waiting='0']")

    def hold_for_help(self) -> None:
        box = self.page.locator(".sos").bounding_box()
        self.page.mouse.move(box["x"] + 20, box["y"] + 20)
        self.page.mouse.down()
        self.page.wait_for_selector(".sos-sheet[open]")
        self.page.mouse.up()

    def sign(self) -> None:
        box = self.page.locator(".pad").bounding_box()
        self.page.mouse.move(box["x"] + 20, box["y"] + 60)
        self.page.mouse.down()
        for n in range(1, 12):
            self.page.mouse.move(box["x"] + 20 + 20 * n, box["y"] + 60 + (18 if n % 2 else -18))
        self.page.mouse.up()
