"""What the service keeps: one database (SQLite or PostgreSQL) and content-addressed files."""
