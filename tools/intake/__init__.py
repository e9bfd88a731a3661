"""Intake: a folder of one patient's files, in any mix, to one timeline."""
