"""Generation: who is painted onto which mask, painting, filters, shards (Section 4)."""
