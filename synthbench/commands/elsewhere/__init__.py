"""Trials that other processes and machines work off: `plan`, `work`, and what `run` does with them."""
