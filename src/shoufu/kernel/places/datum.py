"""Chinese map datums (GCJ-02, BD-09) and WGS-84: pure functions on longitude and latitude in degrees.

Formulas: the published GCJ-02 polynomial on the Krasovsky 1940 ellipsoid, and Baidu's BD-09 rotation.
"""

import math
from collections.abc import Callable

Position = tuple[float, float]

SEMI_MAJOR = 6378245.0
ECCENTRICITY = 0.00669342162296594323
BAIDU = math.pi * 3000.0 / 180.0
EARTH_RADIUS = 6371008.8
CHINA = (72.004, 0.8293, 137.8347, 55.8271)


def in_china(longitude: float, latitude: float) -> bool:
    """Whether the shift applies: inside the box that the GCJ-02 algorithm itself uses."""
    west, south, east, north = CHINA
    return west < longitude < east and south < latitude < north


def _waves(x: float) -> float:
    return (20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)) * 2.0 / 3.0


def _shift(longitude: float, latitude: float) -> Position:
    x, y = longitude - 105.0, latitude - 35.0
    root = math.sqrt(abs(x))
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + _waves(x)
    north += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2.0 / 3.0
    north += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + _waves(x)
    east += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2.0 / 3.0
    east += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2.0 / 3.0
    phi = math.radians(latitude)
    w = 1 - ECCENTRICITY * math.sin(phi) ** 2
    meridian = SEMI_MAJOR * (1 - ECCENTRICITY) / (w * math.sqrt(w))
    parallel = SEMI_MAJOR / math.sqrt(w) * math.cos(phi)
    return math.degrees(east / parallel), math.degrees(north / meridian)


def wgs84_to_gcj02(longitude: float, latitude: float) -> Position:
    """GCJ-02 of a WGS-84 position (unchanged outside China)."""
    if not in_china(longitude, latitude):
        return longitude, latitude
    east, north = _shift(longitude, latitude)
    return longitude + east, latitude + north


def gcj02_to_wgs84(longitude: float, latitude: float) -> Position:
    """WGS-84 of a GCJ-02 position, by fixed-point iteration: exact to better than a millimetre."""
    if not in_china(longitude, latitude):
        return longitude, latitude
    x, y = longitude, latitude
    for _ in range(10):
        back_x, back_y = wgs84_to_gcj02(x, y)
        error_x, error_y = back_x - longitude, back_y - latitude
        x, y = x - error_x, y - error_y
        if max(abs(error_x), abs(error_y)) < 1e-10:
            break
    return x, y


def gcj02_to_bd09(longitude: float, latitude: float) -> Position:
    """BD-09 of a GCJ-02 position."""
    radius = math.hypot(longitude, latitude) + 0.00002 * math.sin(latitude * BAIDU)
    angle = math.atan2(latitude, longitude) + 0.000003 * math.cos(longitude * BAIDU)
    return radius * math.cos(angle) + 0.0065, radius * math.sin(angle) + 0.006


def bd09_to_gcj02(longitude: float, latitude: float) -> Position:
    """GCJ-02 of a BD-09 position, by fixed-point iteration."""
    x, y = longitude - 0.0065, latitude - 0.006
    for _ in range(10):
        back_x, back_y = gcj02_to_bd09(x, y)
        error_x, error_y = back_x - longitude, back_y - latitude
        x, y = x - error_x, y - error_y
        if max(abs(error_x), abs(error_y)) < 1e-10:
            break
    return x, y


def bd09_to_wgs84(longitude: float, latitude: float) -> Position:
    """WGS-84 of a BD-09 position."""
    return gcj02_to_wgs84(*bd09_to_gcj02(longitude, latitude))


def _same(longitude: float, latitude: float) -> Position:
    return longitude, latitude


TO_WGS84: dict[str, Callable[[float, float], Position]] = {
    "WGS-84": _same,
    "GCJ-02": gcj02_to_wgs84,
    "BD-09": bd09_to_wgs84,
}


def distance(a: Position, b: Position) -> float:
    """Metres between two WGS-84 positions on the sphere (haversine)."""
    phi, psi = math.radians(a[1]), math.radians(b[1])
    chord = math.sin((psi - phi) / 2) ** 2
    chord += math.cos(phi) * math.cos(psi) * math.sin(math.radians(b[0] - a[0]) / 2) ** 2
    return 2 * EARTH_RADIUS * math.asin(math.sqrt(min(1.0, chord)))
