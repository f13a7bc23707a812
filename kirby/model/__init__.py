"""The database: definitions of contexts, access, packages, and the projection of runs."""
