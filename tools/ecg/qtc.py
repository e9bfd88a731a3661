"""QT corrected for rate. QT in ms, RR in s, rate in beats/min; every result in ms."""


def bazett(qt_ms: float, *, rr_s: float) -> float:
    """Return QT / sqrt(RR) (Bazett 1920); too long above 90/min, too short below 60/min.

    Examples:
        >>> round(bazett(400, rr_s=0.8), 1)
        447.2
    """
    return float(qt_ms / rr_s ** (1 / 2))


def fridericia(qt_ms: float, *, rr_s: float) -> float:
    """Return QT / RR^(1/3) (Fridericia 1920).

    Examples:
        >>> round(fridericia(400, rr_s=0.8), 1)
        430.9
    """
    return float(qt_ms / rr_s ** (1 / 3))


def framingham(qt_ms: float, *, rr_s: float) -> float:
    """Return QT + 154 (1 - RR) (Sagie 1992, Framingham)."""
    return qt_ms + 154.0 * (1.0 - rr_s)


def hodges(qt_ms: float, *, rate_per_min: float) -> float:
    """Return QT + 1.75 (rate - 60) (Hodges 1983)."""
    return qt_ms + 1.75 * (rate_per_min - 60.0)


def rautaharju(qt_ms: float, *, rate_per_min: float) -> float:
    """Return QT (120 + rate) / 180 (Rautaharju, the simple form)."""
    return qt_ms * (120.0 + rate_per_min) / 180.0
