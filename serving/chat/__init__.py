"""Questions about one case: kept per user and case, answered with verified sentences only."""
