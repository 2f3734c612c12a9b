"""The OpenAI Agents SDK behind the agent runner port."""
