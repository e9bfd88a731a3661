"""Tokens for systems that prove who they are with a signed assertion."""
