import cv2
import numpy as np
import pytest

from shoufu.engines.plates.rectify import SINGLE_ROW_ASPECT, aspect, even_light, flatten, join_rows, warp

CORNERS = np.array([[100, 80], [300, 120], [290, 190], [95, 140]], dtype=np.float32)


def scene() -> np.ndarray:
    """A quadrilateral whose left half is red and right half green, on grey."""
    flat = np.zeros((70, 220, 3), dtype=np.uint8)
    flat[:, :110] = (0, 0, 200)
    flat[:, 110:] = (0, 200, 0)
    source = np.array([[0, 0], [220, 0], [220, 70], [0, 70]], dtype=np.float32)
    return cv2.warpPerspective(
        flat, cv2.getPerspectiveTransform(source, CORNERS), (400, 300), borderValue=(128, 128, 128)
    )


def test_flattening_undoes_the_perspective() -> None:
    flat = flatten(scene(), CORNERS, SINGLE_ROW_ASPECT, (-0.03, -0.05))
    height, width = flat.shape[:2]
    assert width / height == pytest.approx(SINGLE_ROW_ASPECT, rel=0.02)
    left, right = flat[:, : width // 2 - 6], flat[:, width // 2 + 6 :]
    assert left[..., 2].mean() > 150 > 50 > left[..., 1].mean()
    assert right[..., 1].mean() > 150 > 50 > right[..., 2].mean()


def test_a_large_plate_is_made_smaller_without_aliasing() -> None:
    stripes = np.zeros((1200, 3600, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    whole = np.array([[0, 0], [3600, 0], [3600, 1200], [0, 1200]], dtype=np.float32)
    flat = flatten(stripes, whole, 3.0)
    assert flat.shape[0] <= 128
    assert abs(float(flat[10:-10, 10:-10].mean()) - 127) < 8
    assert float(flat[10:-10, 10:-10].std()) < 25


def test_the_matrix_of_a_view_leads_back() -> None:
    target = np.array([[50, 50], [150, 50], [150, 90], [50, 90]], dtype=np.float32)
    _, matrix = warp(scene(), CORNERS, target, (200, 140))
    back = cv2.perspectiveTransform(target[None].astype(np.float64), np.linalg.inv(matrix))[0]
    np.testing.assert_allclose(back, CORNERS, atol=1e-2)


def test_rows_are_joined_side_by_side() -> None:
    plate = np.zeros((110, 220, 3), dtype=np.uint8)
    plate[:45] = 255
    joined = join_rows(plate)
    assert joined.shape[1] > 220
    assert joined[: joined.shape[0] // 2, :60].mean() > 200
    assert joined[joined.shape[0] // 4 :, 150:].mean() < 30


def test_dim_plates_are_stretched_and_good_ones_left_alone() -> None:
    dim = np.linspace(20, 60, 48 * 150).reshape(48, 150, 1).repeat(3, axis=2).astype(np.uint8)
    assert int(even_light(dim).max()) - int(even_light(dim).min()) > 200
    good = np.linspace(0, 255, 48 * 150).reshape(48, 150, 1).repeat(3, axis=2).astype(np.uint8)
    assert even_light(good) is good


def test_aspect() -> None:
    assert aspect(np.array([[0, 0], [44, 0], [44, 14], [0, 14]], dtype=np.float32)) == pytest.approx(44 / 14)
