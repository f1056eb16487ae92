"""faceaug: labelled synthetic faces that make face parsers better."""
