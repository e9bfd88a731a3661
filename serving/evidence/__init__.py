"""Evidence one click away: the original place of every statement, as a person reads it."""
