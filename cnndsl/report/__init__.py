"""Facts -> text: tables for terminals and pipes, the lecture's table, JSON, CSV, Markdown, HTML, LaTeX."""
