"""Generation: who is generated onto which mask, generating, filters, shards (Section 4)."""
