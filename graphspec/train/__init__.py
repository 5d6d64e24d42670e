"""Training: data, the training step as a graph, the loop, checkpoints, and those that watch it."""
