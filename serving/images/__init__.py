"""Images of cases as a person looks at them: which there are, drawn within limits."""
