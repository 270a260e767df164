"""The house for machines: REST, one router per room. It translates; what it writes, the rooms' services write."""
