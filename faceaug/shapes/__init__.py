"""New shapes: operations on label maps whose parameters are drawn apart from being applied (not in the paper)."""
