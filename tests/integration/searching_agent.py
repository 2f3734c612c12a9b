"""A host's agent whose provider searches the web for it."""

from agents import Agent, WebSearchTool

searcher = Agent(name="Searcher", instructions="Search.", tools=[WebSearchTool()])
