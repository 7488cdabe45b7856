"""From the results of trials to estimates, comparisons and ranks."""
