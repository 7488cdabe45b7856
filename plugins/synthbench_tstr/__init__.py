"""Evaluators that train a classifier on synthetic images, real ones or both, and controls beside them."""
