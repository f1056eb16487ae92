"""Faces of photos edited: masks changed, components transferred, faces swapped (Section 4.3)."""
