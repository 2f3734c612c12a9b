"""ChatKitServers as hosts write them, and the SDK that serves them bare. None knows chatbridge."""
