"""Images and slides: identified, quality-checked, listed; not assessed without a model."""
