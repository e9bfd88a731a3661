"""Chest films: what may be measured on them, and the little that is measured."""
