"""When a context is due: cron expressions, time zones, windows, suspensions."""
