"""The bounded files that a project without a backend of its own keeps, and what is read from them."""
