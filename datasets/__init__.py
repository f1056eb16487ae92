"""Datasets: readers of the layouts on disk, and torch views of real and synthetic faces."""

if __name__ == "datasets":  # a Python started in the repository's root sees this folder before any installed `datasets`
    raise ImportError("this folder is faceaug.datasets; import that")
