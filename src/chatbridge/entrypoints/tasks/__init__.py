"""The bundled task-management MCP server."""
