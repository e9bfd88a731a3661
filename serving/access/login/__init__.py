"""Login of people through their hospital's OpenID provider."""
