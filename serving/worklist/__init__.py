"""Who waits, what is critical, what is due; critical results that a person must acknowledge."""
