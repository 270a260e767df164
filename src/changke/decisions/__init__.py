"""What should be done, for whom, and why. Touches nothing outside."""
