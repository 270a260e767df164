"""The doors: log-in, second factor, own password, devices. What happens before and around a session."""
