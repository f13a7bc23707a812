"""What a host has on its disk, and its end of the shim's socket."""
