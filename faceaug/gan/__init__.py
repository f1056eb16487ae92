"""The mask-guided conditional GAN (Section 3): local embedding, mask-guided generation, background fusion."""
