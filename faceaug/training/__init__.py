"""What the training loops share: the order of faces, batches made ahead, recorded steps, weight averages."""
