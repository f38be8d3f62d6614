"""Looking after tables: old snapshots, small files, files that nothing refers to, and how large everything is."""
