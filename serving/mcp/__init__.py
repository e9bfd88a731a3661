"""Tools, guideline search and assessment for any MCP client: read-only, nothing leaves as a guess.

What is offered is built without the protocol (`offer`, `toolbox_offers`, `knowledge_offers`,
`case_offers`); `server` speaks it, `http` guards it.
"""
