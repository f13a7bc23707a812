"""What the leader decides: the schedule, the ledger of all fires, the way to the lead."""
