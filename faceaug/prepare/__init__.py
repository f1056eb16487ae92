"""From raw photos to aligned faces: five landmarks, one similarity transform, the canonical crop."""
