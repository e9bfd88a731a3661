"""Numbers and units as a person reads them."""

from math import floor, log10

from knowledge.quantity import format_number

_UNITS = {
    "mm[Hg]": "mmHg",
    "1": "",
    "a": "years",
    "uV": "µV",
    "deg": "°",
    "Cel": "°C",
    "10*9/L": "10⁹/L",
    "10*12/L": "10¹²/L",
    "[pH]": "",
}


def unit_shown(unit: str) -> str:
    """Return a UCUM unit as people write it.

    Examples:
        >>> unit_shown("mm[Hg]"), unit_shown("ng/L"), unit_shown("1")
        ('mmHg', 'ng/L', '')
    """
    return _UNITS.get(unit, unit)


def number_shown(value: float) -> str:
    """Return a number as a chart shows it: a converted one is not given more digits than it has.

    Examples:
        >>> [number_shown(v) for v in (1.097264, 160.33884, 43.0, 1234.0)]
        ['1.097', '160.3', '43', '1234']
    """
    return format_number(value if value == int(value) else float(f"{value:.4g}"))


def value_shown(value: str) -> str:
    """Return a number with its unit as it is printed; what is no number as it is."""
    number, space, unit = value.partition(" ")
    try:
        short = number_shown(float(number))
    except ValueError:
        return value
    return f"{short} {unit_shown(unit)}".rstrip() if space else short


def as_precise_as(value: float, given: str) -> str:
    """Return a converted number, no more precise than the number that it was converted from.

    Args:
        value: In another unit than `given`, by a factor.
        given: The number as printed; its decimals say how precise it is.

    Examples:
        >>> as_precise_as(9.99068, "6.2"), as_precise_as(1.6968, "150")
        ('10.0', '1.70')
        >>> as_precise_as(126.1, "7"), as_precise_as(620.0, "0.62")
        ('126', '620')
    """
    stated = abs(float(given))
    if not stated or not value:
        return number_shown(value)
    step = abs(value) / stated / 10 ** len(given.partition(".")[2])
    return f"{value:.{max(0, -floor(log10(step) + 1e-9))}f}"
