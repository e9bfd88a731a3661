"""The task tool_selection."""
