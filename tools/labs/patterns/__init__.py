"""Laboratory patterns: supported, argued against or not assessed, each with its evidence."""
