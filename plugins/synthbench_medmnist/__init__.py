"""The two-dimensional sets of MedMNIST as a data set."""
