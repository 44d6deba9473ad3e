"""What accelerators can do at best, from their makers' data sheets.

Arithmetic is dense, in operations a second (a multiply-add is two); bandwidth that of the memory, in bytes a second.
"""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.records import record


@record(slots=True)
class Peak:
    """A device's limits. `arithmetic` is by the type in which convolutions and matrix products are computed."""

    arithmetic: Mapping[str, float]
    bandwidth: float
    source: str


def _peak(fp32: float, half: float, bandwidth: float, source: str) -> Peak:
    """From teraflops in fp32 without tensor cores, teraflops in fp16 or bf16 with them, and gigabytes a second."""
    arithmetic = {"fp32": fp32 * 1e12, "fp16": half * 1e12, "bf16": half * 1e12, "amp": half * 1e12}
    return Peak(arithmetic, bandwidth * 1e9, source)


PEAKS: Mapping[str, Peak] = {
    "H200": _peak(67, 989.5, 4800, "NVIDIA H200 Tensor Core GPU, data sheet, SXM"),
    "H100 80GB HBM3": _peak(67, 989.5, 3350, "NVIDIA H100 Tensor Core GPU, data sheet, SXM"),
    "H100 PCIe": _peak(51, 756, 2000, "NVIDIA H100 Tensor Core GPU, data sheet, PCIe"),
    "A100-SXM4-80GB": _peak(19.5, 312, 2039, "NVIDIA A100 80GB, data sheet, SXM"),
    "A100-SXM4-40GB": _peak(19.5, 312, 1555, "NVIDIA A100, data sheet, SXM"),
    "A100": _peak(19.5, 312, 1555, "NVIDIA A100, data sheet, 40GB"),
    "A10G": _peak(31.2, 70, 600, "NVIDIA A10G, data sheet"),
    "V100": _peak(15.7, 125, 900, "NVIDIA V100, data sheet, SXM2"),
    "L4": _peak(30.3, 121, 300, "NVIDIA L4, data sheet, without sparsity"),
    "T4": _peak(8.1, 65, 320, "NVIDIA T4, data sheet"),
    "RTX 4090": _peak(82.6, 165.2, 1008, "NVIDIA Ada GPU architecture white paper, appendix A"),
    "RTX 3090": _peak(35.6, 71, 936, "NVIDIA GA102 GPU architecture white paper, appendix A"),
}
"""Devices by a part of the name that PyTorch gives; the first that fits counts."""


def peak(name: str) -> Peak | None:
    """The limits of a device; None for one that is not known.

    >>> peak("NVIDIA H200").bandwidth
    4800000000000.0
    >>> peak("Intel Xeon") is None
    True
    """
    return next((limits for part, limits in PEAKS.items() if part in name), None)
