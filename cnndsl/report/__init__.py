"""Format properties as text: terminal tables, the lecture's table, JSON, CSV, Markdown, HTML, LaTeX."""
