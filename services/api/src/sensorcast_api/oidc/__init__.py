"""Bearer tokens of an OpenID Connect issuer: its keys, its claims, and the credential they make."""
