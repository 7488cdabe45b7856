"""Synthetic images against real ones in the space of a feature extractor: fidelity, diversity, copying."""
