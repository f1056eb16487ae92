"""Measurements: what generated faces are worth to a parser, and the figures kept in ``results/``."""
