"""The text of PDFs, by pypdf."""
