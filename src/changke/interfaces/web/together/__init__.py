"""What goes together: pairs, what newcomers begin with, seasons, what each group has most."""
