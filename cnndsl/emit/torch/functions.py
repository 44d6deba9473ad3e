"""The source of functions that an emitted file may need."""

DIVISIBLE = '''\
def divisible(value: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `value`, and at least 90% of it."""
    nearest = int(2 * value + divisor) // (2 * divisor) * divisor
    rounded = max(divisor, nearest)
    return rounded + divisor if 10 * rounded < 9 * value else rounded
'''
"""MobileNet's rounding (Howard et al. 2017, in the code that it was published with), exact for integers, for fractions,
and for floats that are a whole number of halves, quarters and so on."""
