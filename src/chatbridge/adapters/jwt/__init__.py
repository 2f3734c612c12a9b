"""JSON Web Tokens, by python-jose under guard, and service keys."""
