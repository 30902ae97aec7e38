"""Claude Code's transcripts: where they lie (`places`), and what their lines say (`records`, slow to import)."""
