"""What the product is for, what it was measured to do, and what it must not be used for."""
