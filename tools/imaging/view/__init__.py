"""Images as a person looks at them: decoded, windowed, scaled, with what was marked on them."""
