"""`diff` and `sweep` in LaTeX: units, signs, what is invalid, and what is left out for a column."""

from __future__ import annotations

from pathlib import Path

from tests.commands.running import run

BEFORE = "net Before INPUT 8x8x3 -> a: CONV3-4 -> RELU -> b: FC-10"
AFTER = "net After INPUT 8x8x3 -> a: CONV5-4 -> c: BN -> RELU -> b: FC-10"
# CONV3-4: 108 + 4, CONV5-4: 300 + 4, BN: 8, FC-10 on 256 values: 2,570. 2,682 and 2,882 in all.


def lines(*arguments: str, code: int = 0) -> list[str]:
    result = run(*arguments, "--format", "latex")
    assert result.exit_code == code, result.output
    return result.stdout.splitlines()


def test_diff_has_a_table_of_metrics_and_one_of_layers() -> None:
    Path("a.cnn").write_text(BEFORE)
    Path("b.cnn").write_text(AFTER)
    found = lines("diff", "a.cnn", "b.cnn", code=1)
    assert r"metric & Before & After & change & \% \\" in found
    assert r"params & 2,682 & 2,882 & +200 & +7.5 \\" in found
    assert r"receptive field & 3 & 5 & +2 &  \\" in found
    assert r"output & 10 & 10 &  &  \\" in found
    assert r"+ & c & BN & output 8x8x4, params +8 \\" in found
    fewer = lines("diff", "b.cnn", "a.cnn", code=1)
    assert r"params & 2,882 & 2,682 & $-$200 & $-$6.9 \\" in fewer


def test_diff_of_what_is_the_same_has_no_table_of_layers() -> None:
    Path("a.cnn").write_text(BEFORE)
    found = lines("diff", "a.cnn", "a.cnn")
    assert "\n".join(found).count(r"\begin{table*}") == 1
    assert r"metric & before & after & change & \% \\" in found


def test_sweep_has_one_unit_a_column() -> None:
    """97,216*n - 21,926 parameters, where n is 3 and 5: He et al. 2015 have 0.27 and 0.46 million."""
    found = lines("sweep", "cifar_resnet", "--set", "layers=20,32", "--columns", "params,depth")
    at = found.index(r"\toprule")
    assert found[at + 1 : at + 6] == [
        r"layers & projection & params & depth \\",
        r" &  & (K) &  \\",
        r"\midrule",
        r"20 & no & 269.72 & 20 \\",
        r"20 & yes & 272.47 & 20 \\",
    ]


def test_sweep_says_what_is_invalid_in_comments() -> None:
    Path("f.cnn").write_text("net F(n in {1, 9})\nINPUT 8x8x3 -> [CONV3-4 -> POOL2]*n -> FC-2\n")
    found = lines("sweep", "f.cnn")
    assert found[0] == "% 1 of 2 configurations are invalid:"
    assert found[1].startswith("% n=9: E0301")


def test_sweep_of_nothing_but_invalid_configurations() -> None:
    Path("f.cnn").write_text("net F(n in {8, 9})\nINPUT 8x8x3 -> [CONV3-4 -> POOL2]*n -> FC-2\n")
    assert r"\bottomrule" in lines("sweep", "f.cnn")


def test_only_columns_that_were_not_asked_for_are_left_out() -> None:
    every = "params,macs,inference,training,receptive_field,depth,output"
    few = "\n".join(lines("sweep", "cifar_resnet", "--width", "column"))
    all_of_them = "\n".join(lines("sweep", "cifar_resnet", "--width", "column", "--columns", every))
    assert few.count(r"\begin{table}") == 1
    assert "depth" not in few
    assert all_of_them.count(r"\begin{table}") == 2
    assert "depth" in all_of_them
