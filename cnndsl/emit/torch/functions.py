"""The source of functions that an emitted file may need."""

BILINEAR = '''\
def bilinear_(weight: torch.Tensor) -> torch.Tensor:
    """Fill the weight of a transposed convolution with linear interpolation."""
    taps = weight.new_ones(())
    for size in weight.shape[2:]:
        half = (size + 1) // 2
        center = half - 1 if size % 2 else half - 0.5
        row = 1 - (torch.arange(size, device=weight.device) - center).abs() / half
        taps = taps.unsqueeze(-1) * row
    channels = torch.arange(weight.size(0), device=weight.device)
    with torch.no_grad():
        weight.zero_()
        weight[channels, channels % weight.size(1)] = taps.to(weight.dtype)
    return weight
'''
"""The filter of fully convolutional networks (Long et al. 2015, `upsample_filt` of the published code). It fills each
channel separately; weights between different channels are 0."""

DIVISIBLE = '''\
def divisible(value: float, divisor: int = 8) -> int:
    """The multiple of `divisor` nearest to `value`, and at least 90% of it."""
    nearest = int(2 * value + divisor) // (2 * divisor) * divisor
    rounded = max(divisor, nearest)
    return rounded + divisor if 10 * rounded < 9 * value else rounded
'''
"""MobileNet's rounding (Howard et al. 2017, in the code that it was published with), exact for integers, for fractions,
and for floats that are a whole number of halves, quarters and so on."""

TOTAL = '''\
def total(tensors: list[Tensor]) -> Tensor:
    """The sum of all tensors, added from left to right."""
    y = tensors[0]
    for x in tensors[1:]:
        y = y + x
    return y
'''
"""The sum of a list. Python's `sum` starts with 0, which costs one more addition."""
