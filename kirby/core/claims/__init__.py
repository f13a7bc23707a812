"""Which attempts a host claims, arms, refuses and answers for."""
