"""What becomes of a run folder: steps and lines, in order, redacted."""
