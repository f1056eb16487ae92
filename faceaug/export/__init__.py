"""Models that travel: ONNX graphs of parsers and generators, and folders in the hub's layout."""
