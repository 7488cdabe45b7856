"""The other side of `runner.worker`: what crosses to a process of a stage's own, and what runs there."""
