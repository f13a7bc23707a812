"""The web services of the bakery: what its scripts fetch from and write to."""
