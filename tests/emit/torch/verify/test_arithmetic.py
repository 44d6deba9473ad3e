"""Operators and functions on plain values: Python's own."""

from __future__ import annotations

import ast
from fractions import Fraction

import pytest

from cnndsl.emit.torch.verify import evaluate as expressions
from cnndsl.emit.torch.verify.frame import Engine, Frame
from cnndsl.emit.torch.verify.names import function
from cnndsl.emit.torch.verify.signatures import constant
from cnndsl.emit.torch.verify.statements import run
from cnndsl.emit.torch.verify.text import Program
from cnndsl.emit.torch.verify.values import Trouble

HEAD = "import math\nfrom fractions import Fraction\n"


def value(text: str) -> object:
    made = ast.parse(f"def f(): return {text}").body[0]
    assert isinstance(made, ast.FunctionDef)
    frame = Frame(Program(HEAD, {}), function(made, constant), {}, None, Engine(run))
    return expressions.evaluate(ast.parse(text, mode="eval").body, frame)


@pytest.mark.parametrize(
    "text",
    """
    0.3 * 3
    0.1 + 0.2
    7 // 2
    -7 // 2
    -7 % 3
    7 / 7
    2 * (3 + 4) - 1
    int(0.29 * 100)
    round(2.5)
    round(0.125, 2)
    max(8, int(33 + 8 / 2) // 8 * 8)
    min(3, 4.0)
    abs(-3)
    sum((1, 2, 3))
    len((1, 2))
    (1, 2) + (3,)
    [0] * 3
    (1, 2, 3)[1:]
    'a' + 'b'
    f'conv{3 + 4}'
    str(3.0)
    bool(0)
    1 < 2 <= 2 < 3
    1 < 2 > 2
    not 1 == 1.0
    3 in (1, 2, 3)
    4 not in range(1, 4)
    2.0 in range(1, 4)
    1 if 2 > 3 else 4
    0 or 3
    1 and 0
    None is None
    None == 3
    float('0.5')
    Fraction(1, 3) * 6
    Fraction('0.1') * 3 == Fraction(3, 10)
    int(Fraction(7, 2))
    math.ceil(2.1) + math.floor(-0.5) + math.trunc(2.7) + math.prod((2, 3))
    [a * 2 for a in range(4) if a % 2]
    [a + b for a, b in zip((1, 2), (3, 4))]
    [i for i, a in enumerate('ab'.join(('x', 'y')))] if False else 3
    list(enumerate((5, 6), 1))
    tuple(range(3))
    isinstance(3, int)
    isinstance((1,), (tuple, list))
    +3 - -3
    10 ** 3 - 2 ** -1 + (-2) ** 3 ** 2
    """.strip().splitlines(),
)
def test_values_are_pythons(text: str) -> None:
    import math

    expected = eval(text.strip(), {"Fraction": Fraction, "math": math})
    found = value(text.strip())
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "text",
    """
    1 / 0
    1 + 'a'
    (1, 2)[5]
    (1, 2)['a']
    int('x')
    len(3)
    max()
    -'a'
    1 < 'a'
    x
    zip((1,), (1, 2), strict=True)
    range(1.5)
    range(3, 0, 0)
    round(1, 2, 3)
    [1][1.0]
    abs(key=3)
    tuple(1, 2)
    int(None)
    isinstance(3, 4)
    10 ** 99999
    2 ** 0.5
    0.5 ** 2
    0 ** -1
    (1).real
    [*3]
    {1: 2}
    f'{1:>3}'
    range(10**9)
    sum([1], start=[2])
    """.strip().splitlines(),
)
def test_what_has_no_value_is_trouble(text: str) -> None:
    with pytest.raises(Trouble):
        value(text.strip())
