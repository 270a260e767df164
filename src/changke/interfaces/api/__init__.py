"""The house for machines: REST, one router per room. It translates; what it writes is written by the rooms' services."""
