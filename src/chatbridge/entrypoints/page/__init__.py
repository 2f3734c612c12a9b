"""The chat page: one document, the files that it loads, and the sign-in of development."""
