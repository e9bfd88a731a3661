"""The task tool_routing."""
