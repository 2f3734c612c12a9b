"""JSON Web Tokens, by python-jose under guard."""
