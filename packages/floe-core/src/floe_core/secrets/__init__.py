"""What is a secret, in documents and in texts of any kind, and the same without it."""
