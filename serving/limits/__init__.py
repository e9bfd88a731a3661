"""How much and how often: rates, sizes and waiting times."""
