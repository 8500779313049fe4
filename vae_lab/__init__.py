"""Teaching package of the course about one line of code, `z = mu + sigma * eps`."""
