"""Changes of the tables, in order; applied by `serving.storage.schema.prepare`."""
