"""What the commands do, as functions of plain arguments: called from the shell and from Python."""
