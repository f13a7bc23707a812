"""What a host keeps alive: environments, daemons, limits."""
