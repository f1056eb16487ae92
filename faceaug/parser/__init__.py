"""The face parsing network P_F: a U-Net from photos to label maps (Section 3.2, Eq. 7)."""
