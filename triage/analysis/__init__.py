"""What analysts ask of predictions: why, what is like it, what changed, what is wrong."""
