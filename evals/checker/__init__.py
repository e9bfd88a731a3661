"""An independent checker of narratives: it shares no code with the writer and its verifier.

It reads the published JSON of an assessment and nothing else, with vocabularies of its own.
"""
