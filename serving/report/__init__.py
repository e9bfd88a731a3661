"""The assessment as a person reads it: terminal, Markdown, and one self-contained HTML file."""
