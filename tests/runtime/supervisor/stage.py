"""Runs a supervisor over small processes; started by the tests as a program: stage.py FOLDER SCENARIO."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from shoufu.runtime import data, logs
from shoufu.runtime.data import Layout
from shoufu.runtime.errors import Problem
from shoufu.runtime.supervisor import Spec, Supervisor

SLEEP = "import time\nwhile True: time.sleep(1)"
# Leaves a grandchild of its own group behind when killed alone.
PARENT = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {SLEEP!r}])"
STUBBORN = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP
FAILING = "import sys\nprint('No space left on device')\nsys.exit(3)"


def python(name: str, text: str, **options: object) -> Spec:
    """A process that runs Python text and counts as ready at once."""
    return Spec(name, (sys.executable, "-c", text), **({"settle": 0.05} | options))  # type: ignore[arg-type]


def scenario(name: str, layout: Layout) -> list[Spec]:
    """The processes of one test."""
    if name == "plain":
        return [python("a", SLEEP), python("b", PARENT, needs=("a",))]
    if name == "failing":
        return [python("a", SLEEP), python("broken", FAILING, once=True, needs=("a",))]
    if name == "stubborn":
        return [python("a", STUBBORN, stop_timeout=0.5)]
    if name == "gate":
        mark = layout.root / "order"
        slow = f"import time, pathlib\ntime.sleep(0.3)\npathlib.Path({str(mark)!r}).open('a').write('migrated ')"
        waiting = (
            "from shoufu.runtime import django\nimport pathlib\ndjango.pass_gate()\n"
            f"pathlib.Path({str(mark)!r}).open('a').write('served')\n" + SLEEP
        )
        return [python("migrate", slow, once=True), python("web", waiting, gate="migrate", settle=1.0)]
    raise ValueError(name)


def main() -> None:
    logs.setup()
    layout = data.prepare(Layout(Path(sys.argv[1])))
    specs = scenario(sys.argv[2], layout)
    supervisor = Supervisor(
        layout,
        specs,
        essential=tuple(spec.name for spec in specs),
        address="http://test",
        began=time.time(),
        on_ready=lambda _seconds: print("ready", flush=True),
    )
    try:
        supervisor.run()
    except Problem as problem:
        print(problem, flush=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
