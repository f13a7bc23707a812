"""Who stands for the lead."""
