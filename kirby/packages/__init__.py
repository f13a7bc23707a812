"""Virtual environments of scripts, publishing, and the built-in package index."""
