"""The process that holds the scripts; standard library only, and alone (ARCHITECTURE)."""
