"""The metric stress test: real images that get worse step by step, and which metric notices.

Sweep         how many strengths and images
stress        all of it: evaluate, judge, write stress.csv, points.csv and stress.png
print_stress  the verdicts on the terminal
"""

from synthbench.stress.results import Stressed, print_stress, stress
from synthbench.stress.sweep import Sweep

__all__ = ["Stressed", "Sweep", "print_stress", "stress"]
