"""What chatbridge is about: the model, and the services that decide."""
