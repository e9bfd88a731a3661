"""Twelve-lead electrocardiograms: reading, measuring, interpreting, drawing."""
