"""What is done: the floor that acts, with people and, one day, with the outer world."""
