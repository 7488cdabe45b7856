"""Uncertainty of benchmark numbers: pure functions of numpy arrays. Method and limits: docs/statistics.md."""

from synthbench.stats.bootstrap import LEVEL, RESAMPLES, cluster_weights
from synthbench.stats.differences import Difference, Differences, difference, differences
from synthbench.stats.intervals import FEW_SEEDS, Interval, interval, seed_variance
from synthbench.stats.paired import DeLong, delong, mcnemar
from synthbench.stats.pooling import Pool, pools
from synthbench.stats.probe import LabelCheck, check_labels, class_probe
from synthbench.stats.ranks import holm, rank_groups
from synthbench.stats.utility import Utility, utility
from synthbench.stats.worth import Worth, worth

__all__ = [  # noqa: RUF022 - a test wants plain order
    "DeLong",
    "Difference",
    "Differences",
    "FEW_SEEDS",
    "Interval",
    "LEVEL",
    "LabelCheck",
    "Pool",
    "RESAMPLES",
    "Utility",
    "Worth",
    "check_labels",
    "class_probe",
    "cluster_weights",
    "delong",
    "difference",
    "differences",
    "holm",
    "interval",
    "mcnemar",
    "pools",
    "rank_groups",
    "seed_variance",
    "utility",
    "worth",
]
