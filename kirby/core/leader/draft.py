"""What one transaction of the leader will hold (rule O1): all decisions of a moment, or none."""

from dataclasses import dataclass, field

from kirby.core.names import ContextKey
from kirby.core.records import AnyRecord, TopicName

# A transaction of a thousand records commits in 11 to 28 ms; more would hold up the beat.
MOST_POSTS = 2000


@dataclass(frozen=True, kw_only=True)
class Post:
    """One record to write; `record=None` is a tombstone."""

    topic: TopicName
    key: str
    record: AnyRecord | None


@dataclass(kw_only=True)
class Draft:
    """The records of the next transaction, and the contexts whose cursor it rewrites."""

    posts: list[Post] = field(default_factory=list)
    touched: dict[ContextKey, None] = field(default_factory=dict)  # in order, without repeats

    def post(self, topic: TopicName, key: str, record: AnyRecord | None) -> None:
        """Add a record."""
        self.posts.append(Post(topic=topic, key=key, record=record))

    def touch(self, context: ContextKey) -> None:
        """Have the context's cursor rewritten with the transaction."""
        self.touched[context] = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not self.posts and not self.touched

    @property
    def is_full(self) -> bool:
        """Whether the rest had better wait for the next transaction."""
        return len(self.posts) + len(self.touched) >= MOST_POSTS
