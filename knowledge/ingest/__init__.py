"""A hospital's own licensed documents as passages: an administrator's act, reviewed before use.

Bytes are sniffed (`sniff`), read without what a reader cannot see (`pdf`, `html`, `docx`,
`markdown`, `invisible`), cut into passages (`chunks`), screened for text that addresses an AI
(`addressed_to_ai`), and stored with every act upon them (`store`). Only what a reviewer has
approved leaves by `approved.document_passages`.
"""
