"""Format counts and sizes for people: 138M, 15.2MB, 1,728."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from cnndsl.records import record

_STEPS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K"))
_EIGHTHS = " ▏▎▍▌▋▊▉"


@lru_cache(maxsize=4096)
def human(number: int, digits: int = 3) -> str:
    """Return a count with `digits` significant digits. K, M, G, T are powers of 1000; trailing zeros of decimals are
    dropped.

    >>> human(138_357_544), human(15_470_264_320), human(1728), human(999), human(999_999), human(40_000)
    ('138M', '15.5G', '1.73K', '999', '1M', '40K')
    """
    if abs(number) < 1000:
        return str(number)
    rounded = _significant(number, digits)
    for size, unit in _STEPS:
        if abs(rounded) >= size:
            return f"{(rounded / size).normalize():f}{unit}"
    return str(number)


def lecture(number: int) -> str:
    """Return a count as the table of the CS231n notes rounds it: from 10,000 on, two significant digits, halves up.
    This is the only rule that gives all of its rows: 150K, 3.2M, 800K, 25K, and 4096 unchanged.

    >>> lecture(224 * 224 * 3), lecture(224 * 224 * 64), lecture(7 * 7 * 512), lecture(4096)
    ('150K', '3.2M', '25K', '4096')
    """
    return str(number) if number < 10_000 else human(number, 2)


def memory(size: int) -> str:
    """Return a size in bytes, in powers of 1000.

    >>> memory(60_950_432), memory(512)
    ('61MB', '512B')
    """
    return f"{human(size)}B"


def sized(size: int, binary: bool, digits: int = 3) -> str:
    """Return a size in bytes; with `binary`, in powers of 1024.

    >>> sized(23 * 2**30, True), sized(23 * 2**30, False), sized(1000, True), sized(2**20, True)
    ('23GiB', '24.7GB', '1000B', '1MiB')
    >>> sized(2**30 - 1, True), sized(2**30 - 2**10, True, 7)
    ('1GiB', '1023.999MiB')
    """
    power = next((each for each in (4, 3, 2, 1) if size >= 1024**each), 0) if binary else 0
    if not power:
        return f"{size}B" if binary else f"{human(size, digits)}B"
    amount = Decimal(size) / 1024**power
    places = max(digits - 1 - amount.adjusted(), 0)
    rounded = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP).normalize()
    if rounded == 1024 and power < 4:
        rounded, power = Decimal(1), power + 1
    return f"{rounded:f}{'KMGT'[power - 1]}iB"


def duration(seconds: float) -> str:
    """Return a time with three significant digits.

    >>> duration(0.00188), duration(1.51e-6), duration(2.5e-11), duration(12.0)
    ('1.88ms', '1.51us', '0.025ns', '12s')
    """
    units = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))
    size, unit = next(((size, unit) for size, unit in units if seconds >= 0.9995 * size), (1e-9, "ns"))
    amount = seconds / size
    return f"{amount:.0f}{unit}" if amount >= 1000 else f"{amount:.3g}{unit}"


def bar(part: float, room: int) -> str:
    """Return a bar, to an eighth of a character.

    >>> bar(0.5, 5)
    '██▌'
    """
    whole, rest = divmod(round(part * room * 8), 8)
    return ("█" * whole + _EIGHTHS[rest]).rstrip()


@record(slots=True)
class ColumnScale:
    """The unit of a column: `K`, `M`, `G`, `T` or none, its size, and the number of decimals."""

    unit: str = ""
    size: int = 1
    digits: int = 0

    def show(self, number: int) -> str:
        """Return a value in this unit.

        >>> ColumnScale("M", 10**6, 2).show(25_557_032)
        '25.56'
        """
        return f"{Decimal(number) / self.size:,.{self.digits}f}"


def common_scale(numbers: Iterable[int]) -> ColumnScale:
    """Return the largest unit in which the largest value is at least 1 and each except zero has two significant digits.
    There are two decimals, or one if the largest value has more than four digits before the point. Without a unit there
    are none: the values are exact, as they are below 10,000.

    >>> [common_scale(each).unit for each in ([512_000, 1_814_073_344, 0], [1_792, 102_764_544], [28, 4096])]
    ['M', 'K', '']
    """
    sizes = [abs(number) for number in numbers if number] or [0]
    for size, unit in _STEPS if max(sizes) >= 10_000 else ():
        digits = 2 if max(sizes) < 10_000 * size else 1
        if max(sizes) >= size and min(sizes) * 10 ** (digits - 1) >= size:
            return ColumnScale(unit, size, digits)
    return ColumnScale()


def exact(number: int) -> str:
    """Return a count with all its digits.

    >>> exact(102_760_448)
    '102,760,448'
    """
    return f"{number:,}"


def images(count: int) -> str:
    """Return a number of images.

    >>> images(1), images(2048)
    ('1 image', '2,048 images')
    """
    return "1 image" if count == 1 else f"{exact(count)} images"


def _significant(number: int, digits: int) -> Decimal:
    value = Decimal(number)
    place = Decimal(1).scaleb(value.adjusted() - digits + 1)
    return value.quantize(place, ROUND_HALF_UP) if place > 1 else value
