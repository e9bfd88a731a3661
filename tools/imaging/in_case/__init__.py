"""The images of a case measured by the tools: films, CT series, slides, immunohistochemistry."""
