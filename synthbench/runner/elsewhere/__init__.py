"""Trials worked off by other processes, here and on other machines, and what they leave to be collected."""
