"""The laboratory's part of an assessment: what changed, what is urgent, what may be an artefact."""
