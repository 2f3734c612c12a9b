"""What stands around a measured server: a model, a client, and a slow line to the database."""
