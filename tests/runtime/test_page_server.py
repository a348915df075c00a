"""What a page server does before it answers."""

import os
import subprocess
import sys


def test_pages_are_loaded_before_the_first_visitor_and_no_garbage_is_looked_for_in_them() -> None:
    said = (
        "import gc, sys; import shoufu.runtime.wsgi; "
        "print(gc.get_freeze_count() > 100_000, 'shoufu.scenes.homecare.planning.pages.day' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=False, env=os.environ)
    assert found.stdout.split() == ["True", "True"], found.stderr[-2000:]
