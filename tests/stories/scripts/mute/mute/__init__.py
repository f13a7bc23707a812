"""Nothing here can be run."""
