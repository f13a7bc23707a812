"""What `kirby apply` reads: documents, their faults, and the difference they make."""
