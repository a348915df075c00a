import sys

import pytest

from shoufu.runtime.drill.neighbours.parallel import spread
from shoufu.runtime.errors import Problem


def test_parts_are_worked_off_by_processes_in_order() -> None:
    assert spread([lambda: 1, lambda: 2, lambda: 3], workers=2) == [1, 2, 3]


def test_a_part_that_dies_is_said() -> None:
    with pytest.raises(Problem, match="ended early"):
        spread([lambda: 1, lambda: sys.exit(1), lambda: sys.exit(1)], workers=2)
