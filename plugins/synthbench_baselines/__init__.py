"""Floors, ceilings and a linear baseline: what a generator's numbers have to be read against."""
