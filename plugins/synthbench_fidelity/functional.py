"""The metrics as pure functions: features (N, D) or images in, floats out, all arguments by keyword.

Features are float32 or float64 numpy arrays, one row an image, from one extractor; none is changed. A metric
says in its docstring what it means, its source, unit and range. Mistakes raise ValueError.

    fidelity       frechet_distance, ..._from_statistics, ..._infinity; kernel_distance, ..._interval;
                   classifier_two_sample
    both           prdc, precision_recall, density_coverage
    diversity      vendi_score, ..._from_kernel; ms_ssim, ..._of_pairs
    memorisation   authenticity, copies, ct_score, membership_auroc, nearest_distance_ratio; nearest, k_nearest
    beneath        auroc_interval
"""

from __future__ import annotations

from synthbench_fidelity.auroc import auroc_interval
from synthbench_fidelity.frechet import (
    frechet_distance,
    frechet_distance_from_statistics,
    frechet_distance_infinity,
)
from synthbench_fidelity.intervals import Interval
from synthbench_fidelity.kernel import kernel_distance, kernel_distance_interval
from synthbench_fidelity.membership import membership_auroc
from synthbench_fidelity.memorisation import Copies, authenticity, copies, ct_score, nearest_distance_ratio
from synthbench_fidelity.msssim import ms_ssim, ms_ssim_of_pairs, scales_for
from synthbench_fidelity.neighbours import k_nearest, nearest
from synthbench_fidelity.prdc import density_coverage, prdc, precision_recall
from synthbench_fidelity.two_sample import classifier_two_sample
from synthbench_fidelity.vendi import vendi_score, vendi_score_from_kernel

__all__ = [
    "Copies",
    "Interval",
    "auroc_interval",
    "authenticity",
    "classifier_two_sample",
    "copies",
    "ct_score",
    "density_coverage",
    "frechet_distance",
    "frechet_distance_from_statistics",
    "frechet_distance_infinity",
    "k_nearest",
    "kernel_distance",
    "kernel_distance_interval",
    "membership_auroc",
    "ms_ssim",
    "ms_ssim_of_pairs",
    "nearest",
    "nearest_distance_ratio",
    "prdc",
    "precision_recall",
    "scales_for",
    "vendi_score",
    "vendi_score_from_kernel",
]
