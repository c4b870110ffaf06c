"""Who acts in tests that speak to the store themselves."""

from activities.store.audit import Actor
from activities.store.keys import DEFAULT_TEAM

SOMEBODY = Actor(DEFAULT_TEAM, "somebody")
