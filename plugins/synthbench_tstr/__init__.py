"""Train on synthetic, test on real: the headline evaluator of synthbench."""
