"""HDF5 shards of labelled synthetic faces: writing, reading, format (FORMAT.md)."""
