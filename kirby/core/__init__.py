"""What decides and touches nothing: no clock, no file, no socket, no process."""
