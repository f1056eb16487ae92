"""``faceaug web``: a page for editing photos and looking through generated faces, on this computer alone."""
