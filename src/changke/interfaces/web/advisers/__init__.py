"""Who looks after whom, whom nobody looks after, and handing over."""
