"""Rules that read needs from purchases."""
