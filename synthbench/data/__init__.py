"""Real images made fit for a benchmark: splits, hold-out, test sets, the leak audit."""
