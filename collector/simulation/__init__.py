"""A simulated campus, and the broker and publisher that bring it to life."""
