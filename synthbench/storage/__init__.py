"""What is kept on disk, and under which key."""
