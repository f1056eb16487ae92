"""Faces drawn by rule, with exact labels: the embedded data for trying everything out."""
