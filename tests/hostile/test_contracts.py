"""Contracts and file-level names in numbers and forms that nobody writes."""

from __future__ import annotations

import pytest

from cnndsl import loads
from cnndsl.errors import CnnError, nearest


def test_long_chains_of_names() -> None:
    lets = "let a0 = 1\n" + "".join(f"let a{at} = a{at - 1}\n" for at in range(1, 2000))
    assert loads(f"{lets}INPUT 8x8x3 -> CONV3-{{a1999}}\nassert a1999 == 1").graph


def test_names_that_double() -> None:
    """Evaluated anew at each mention, the last one would take 2^50 additions."""
    lets = "let a0 = 1\n" + "".join(f"let a{at} = a{at - 1} + a{at - 1}\n" for at in range(1, 51))
    assert loads(f"{lets}INPUT 8x8x3 -> RELU\nassert a50 == {2**50}").graph


def test_many_contracts_on_many_parts() -> None:
    """Looked up anew for each contract, the nodes would be walked over 3000 times."""
    net = "INPUT 8x8x3 -> " + " -> ".join(f"a{at}: [RELU -> b: TANH]" for at in range(3000))
    contracts = "".join(f"assert a{at}.output == 8x8x3 and a{at}.b.output == 8x8x3\n" for at in range(3000))
    assert len(loads(f"{net}\n{contracts}").graph) == 6001


def test_many_contracts_that_do_not_hold() -> None:
    with pytest.raises(CnnError) as caught:
        loads("INPUT 8x8x3 -> RELU\n" + "assert params == 1\n" * 500)
    assert len(caught.value.diagnostics) == 50


def test_guesses_are_bounded() -> None:
    assert nearest("a" * 5000, ["a" * 4999]) == ""
    assert nearest("conv1", [f"part{at}" for at in range(10**5)]) == ""
