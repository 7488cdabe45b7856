"""A generator within a generator: how an option names one, what it is kept under, how it is fitted."""
