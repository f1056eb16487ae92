"""What generated faces are like: near to real ones, true to their masks, different from each other, faithful to their sources."""
