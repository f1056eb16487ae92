"""Devices, precision, processes and threads."""
