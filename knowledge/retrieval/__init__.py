"""Hybrid retrieval over guideline knowledge: BM25 and vectors, fused by rank."""
