"""synthbench from Python: the functions that `import synthbench` gives out, and what they return.

They call the same functions of `synthbench.commands` as the shell does. This room stands above all others, beside
`cli`; the package's own `__init__` names it in its table of public names alone, and imports it when one of them
is asked for.
"""
