"""Web shops that call us: their addresses, what they delivered, and what still waits."""
