"""Sign-off: a clinician decides on every statement, signs one version, and is told of changes."""
