"""What a plugin is written against, and how it is found."""
