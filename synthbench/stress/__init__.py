"""The metric stress test: real images that get worse step by step, and which metric notices.

Sweep   how many strengths and images
stress  all of it: evaluate, judge, write stress.csv, points.csv and stress.png
"""

from synthbench.stress.results import Stressed, stress
from synthbench.stress.sweep import Sweep

__all__ = ["Stressed", "Sweep", "stress"]
