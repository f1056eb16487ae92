"""What generated faces are worth to a parser, on anybody's labelled faces: arms, cells, intervals, report."""
