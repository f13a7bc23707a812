"""`kirby demo`: the bakery, from one command."""
