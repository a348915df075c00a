import numpy as np
import pytest

from shoufu.kernel.places import datum
from shoufu.kernel.places.distances import between


def test_many_distances_are_those_of_two() -> None:
    """Beijing to Shanghai is 1,067 km by the great circle; everything else follows from two positions."""
    at = [(116.3912, 39.9072), (121.4737, 31.2304), (123.4, 41.8), (-70.0, -33.0)]
    known = np.array(at)
    found = between(known[:, None], known)
    assert found.shape == (4, 4) and found[0, 1] == pytest.approx(1_067_300, rel=1e-3)
    for n, here in enumerate(at):
        for m, there in enumerate(at):
            assert found[n, m] == pytest.approx(datum.distance(here, there), abs=1e-6)
    assert between(known, known).tolist() == [0.0] * 4
