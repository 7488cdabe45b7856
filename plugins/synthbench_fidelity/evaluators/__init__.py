"""The evaluators: they feed the pure functions of this package, overall and for each class."""
