"""The loop: for each trial fit, sample, evaluate."""
